"""When the packs of timed pictures are sent: 300 a second, each picture whole at its deadline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from rawcd.cdg.canvas import CDG, Bytes2D
from rawcd.cdg.encoder import encode
from rawcd.cdg.packs import PACK_BYTES, PACKS_PER_SECOND
from rawcd.cdg.pictures import CdgPicture
from rawcd.cdg.render import packs_by
from rawcd.errors import AuthoringError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPicture:
    """A picture and the time at which it must be there.

    Attributes:
        picture: the picture.
        deadline: seconds from the track's INDEX 01; the picture is whole by then.
        hold: seconds for which it must then stay as it is.
        name: what a message calls it; empty is its number.

    Raises:
        TypeError: the picture is none; `make_picture` makes one of a Pillow image.
    """

    picture: CdgPicture
    deadline: float
    hold: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(cast("object", self.picture), CdgPicture):
            kind = type(self.picture).__name__
            raise TypeError(f"{kind} is no CdgPicture; `make_picture` makes one of an image")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPicture:
    """When a picture's packs are sent.

    Attributes:
        name: the picture's name.
        deadline: seconds.
        first_pack: number of its first pack; the picture before is whole until then.
        end_pack: number after its last pack: the picture is whole from here on.
        packs_needed: packs that draw it; 0 when nothing changes.
        packs_available: packs between the end of the picture before it and its deadline.
    """

    name: str
    deadline: float
    first_pack: int
    end_pack: int
    packs_needed: int
    packs_available: int

    @property
    def packs_spare(self) -> int:
        """Packs that were available and not needed."""
        return self.packs_available - self.packs_needed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """A stream of packs, and what is sent when.

    Attributes:
        packs: (n, 24) of uint8, 300 a second from the track's INDEX 01; zero where nothing is sent.
        pictures: in the order in which they are sent.
    """

    packs: Bytes2D
    pictures: tuple[SentPicture, ...]

    @property
    def packs_spare(self) -> int:
        """Packs of the stream in which nothing is sent."""
        return len(self.packs) - sum(sent.packs_needed for sent in self.pictures)

    @property
    def seconds(self) -> float:
        """How long the packs last."""
        return len(self.packs) / PACKS_PER_SECOND

    def to_bytes(self) -> bytes:
        """Return what a `.cdg` file holds."""
        return self.packs.tobytes()


def schedule_pictures(
    pictures: Iterable[TimedPicture],
    *,
    seconds: float | None = None,
    early: bool = False,
    may_clear: bool = False,
    preset_repeats: int = 1,
) -> Schedule:
    """Return a stream in which each picture is there at its deadline.

    A picture's packs are sent after the deadline of the one before, which stays whole until then:
    as late as fits, or at once. Pictures that share a palette (`make_pictures`) send no colours.

    Args:
        pictures: with deadlines that rise.
        seconds: length of the stream; None ends it with the last picture's deadline and hold.
        early: send a picture as soon as the one before has been held, rather than as late as
            its deadline allows.
        may_clear: as in `encode`.
        preset_repeats: as in `encode`.

    Raises:
        AuthoringError: a picture cannot be there in time (rule `"cdg-deadline"`), or lies before
            the one before it or after the end (rule `"cdg-order"`).
        ValueError: a time is negative or no number.
    """
    parts: list[Bytes2D] = []
    sent: list[SentPicture] = []
    shown: CDG | None = None
    done = 0  # packs laid out
    free = 0  # first pack that may be used
    for number, timed in enumerate(pictures, 1):
        name = timed.name or f"picture {number}"
        due, held = packs_by(timed.deadline), packs_by(timed.deadline + timed.hold)
        if held < due or (sent and timed.deadline < sent[-1].deadline):
            raise AuthoringError(
                f"{name}: due at {timed.deadline:g} s and held for {timed.hold:g} s; deadlines "
                "must rise, and nothing is held for less than no time",
                rule="cdg-order",
            )
        packs = encode(timed.picture, shown, may_clear=may_clear, preset_repeats=preset_repeats)
        available = max(0, due - free)
        if len(packs) > available:
            raise AuthoringError(
                f"{name}: needs {len(packs)} packs to be there at {timed.deadline:g} s, and "
                f"{available} are available ({PACKS_PER_SECOND} a second from "
                f"{free / PACKS_PER_SECOND:g} s on): {len(packs) - available} too few",
                rule="cdg-deadline",
            )
        first = min(free, due) if early or not len(packs) else due - len(packs)
        parts += [_empty(first - done), packs]
        done = first + len(packs)
        sent.append(
            SentPicture(
                name=name,
                deadline=timed.deadline,
                first_pack=first,
                end_pack=done,
                packs_needed=len(packs),
                packs_available=available,
            )
        )
        shown = CDG() if shown is None else shown
        shown.run(packs)
        free = max(free, held)
    end = free if seconds is None else packs_by(seconds)
    if end < free:
        raise AuthoringError(
            f"{sent[-1].name}: stays until {free / PACKS_PER_SECOND:g} s, and the stream ends at "
            f"{end / PACKS_PER_SECOND:g} s",
            rule="cdg-order",
        )
    parts.append(_empty(end - done))
    return Schedule(packs=np.concatenate(parts), pictures=tuple(sent))


def _empty(count: int) -> Bytes2D:
    return np.zeros((count, PACK_BYTES), np.uint8)
