"""What the commands print, and how they start: the terminal's side of the command line."""
