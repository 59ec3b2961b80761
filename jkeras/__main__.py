"""`python -m jkeras`, the command line without its script."""

import sys

from jkeras.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
