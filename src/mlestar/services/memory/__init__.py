"""What the windows and the thinking loop are made of, inside one transaction."""
