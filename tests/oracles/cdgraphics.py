"""ffmpeg's cdgraphics decoder: what it shows after chosen packs of a `.cdg` file."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rawcd.source import Bytes2D

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="ffmpeg, whose cdgraphics decoder is asked, is missing"
)


def ffmpeg_frames(packs: Bytes2D, counts: Sequence[int], folder: Path) -> Bytes2D:
    """Return the pictures after the first `counts` packs, (n, 216, 300, 3).

    ffmpeg gives a frame for each CD+G pack that it takes and none for others, so frames are
    chosen by how many of those came before. No tile may be out of range: ffmpeg drops its frame.
    """
    path = folder / "oracle.cdg"
    path.write_bytes(packs.tobytes())
    graphics = np.cumsum((packs[:, 0] & 0x3F) == 9)
    chosen = [int(graphics[count - 1]) - 1 for count in counts]
    wanted = "+".join(f"eq(n,{frame})" for frame in sorted(set(chosen)))
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-i", str(path)]
    # New times, end to end, so that no frame is doubled or dropped to keep the old ones.
    command += ["-vf", f"select='{wanted}',setpts=N/300/TB", "-r", "300"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    result = subprocess.run(command, capture_output=True, check=True, timeout=120)
    frames = np.frombuffer(result.stdout, np.uint8).reshape(-1, 216, 300, 3)
    assert len(frames) == len(set(chosen)), result.stderr.decode()
    place = {frame: number for number, frame in enumerate(sorted(set(chosen)))}
    return frames[[place[frame] for frame in chosen]]
