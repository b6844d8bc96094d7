"""`python -m mlestar` is the `mlestar` command."""

from mlestar.interfaces.cli import main

if __name__ == "__main__":
    main()
