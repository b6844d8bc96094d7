"""The seven context windows: what an entry is, how a window is rendered, and how it is kept within its cap."""
