"""`python -m rawcd` is the command `rawcd`."""

from __future__ import annotations

import sys

from rawcd.cli import main

if __name__ == "__main__":
    sys.exit(main())
