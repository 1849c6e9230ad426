"""How many sectors are made in one go."""

from __future__ import annotations

from typing import Final

BLOCK_SECTORS: Final = 512
"""1.2 MB, which stays in a core's second-level cache."""
