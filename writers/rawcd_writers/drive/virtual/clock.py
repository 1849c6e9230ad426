"""Time as the virtual recorder has it: nothing waits, hours of burning pass in seconds.

The drive's own work takes modelled time on a simulated clock. What the host takes counts only
where it is asked for (`counts_host`), so that runs are the same each time.
"""

from __future__ import annotations

import time
from typing import Final

SECTORS_PER_SECOND: Final = 75
"""At single speed (IEC 60908)."""


class Clock:
    """A clock that is moved forward instead of waited for.

    Args:
        counts_host: real time that passes between two readings counts too.
    """

    def __init__(self, *, counts_host: bool = False) -> None:
        self._counts_host = counts_host
        self._ahead = 0.0
        self._base = time.monotonic()

    def now(self) -> float:
        """Return seconds since the clock was made."""
        real = time.monotonic() - self._base if self._counts_host else 0.0
        return real + self._ahead

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        if seconds > 0:
            self._ahead += seconds


class DriveBuffer:
    """The recorder's buffer: the host fills it, the laser empties it.

    Attributes:
        size: bytes it holds.
        lowest: the least that it held while the laser wrote and the host had more to send.
        underruns: how often it ran dry in the middle.
    """

    def __init__(self, clock: Clock, size: int) -> None:
        self._clock = clock
        self.size = size
        self.lowest = size
        self.underruns = 0
        self._held = 0.0
        self._rate = 0.0  # bytes a second
        self._at = clock.now()
        self._writing = False

    @property
    def held(self) -> int:
        """Bytes in it now."""
        self._drain()
        return int(self._held)

    @property
    def free(self) -> int:
        """Bytes that it takes now."""
        return self.size - self.held

    def _drain(self) -> None:
        now = self._clock.now()
        if self._writing:
            self._held = max(self._held - (now - self._at) * self._rate, 0.0)
        self._at = now

    def put(self, size: int, block_bytes: int, speed: float) -> bool:
        """Take bytes of a WRITE, letting time pass until there is room.

        Returns:
            False where the buffer had run dry before they came.
        """
        self._drain()
        dry = self._writing and not self._held
        if self._writing:
            self.lowest = min(self.lowest, int(self._held))
        if dry:
            self.underruns += 1
            self._writing = False  # it starts again when there is enough to write
            self._held = 0.0
        self._rate = max(speed, 0.1) * SECTORS_PER_SECOND * block_bytes
        size = min(size, self.size)
        over = self._held + size - self.size
        if over > 0:
            self._writing = True
            self._clock.wait(over / self._rate)
            self._drain()
        self._held = min(self._held + size, self.size)
        return not dry

    def flush(self) -> float:
        """Empty it; return the seconds that this takes, which the caller lets pass."""
        self._drain()
        seconds = self._held / self._rate if self._rate else 0.0
        self._held = 0.0
        self._writing = False
        return seconds
