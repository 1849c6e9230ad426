"""A small disc in a file, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import rawcd
from tests.report.discs import Patched, small_disc

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "small.raw"
    rawcd.save_image(small_disc(), path)
    return path


@pytest.fixture
def patched(raw: Path) -> Patched:
    return Patched(raw)
