"""`python -m covet` is the `covet` command."""

import sys

from covet.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
