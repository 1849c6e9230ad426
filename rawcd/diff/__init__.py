"""Two images compared as discs, whatever formats they have.

```python
found = diff_images(open_image("rip.cue"), open_image("burned.raw"))
if not found.equal:
    for each in found.differences:
        print(each)
```

Every sector of both is read, main channel and subcode; `sectors` counts what differs, field by
field. Only where something does, `layout` says what that means for sessions, tracks, indexes,
codes and texts, and `offset` whether the sound is the same, moved by some samples. Every figure
comes from the bytes, none from an image's `Disc`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.diff.values import AudioOffset as AudioOffset
from rawcd.diff.values import Comparison as Comparison
from rawcd.diff.values import Difference as Difference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rawcd.image import DiscImage
    from rawcd.progress import Progress

__all__ = ["PARTS", "AudioOffset", "Comparison", "Difference", "diff_images"]

PARTS: Final = ("layout", "texts", "main", "subcode")
"""What can be compared."""


def diff_images(
    a: DiscImage,
    b: DiscImage,
    *,
    ignore: Iterable[str] = (),
    max_offset: int = 14_700,
    progress: Progress | None = None,
) -> Comparison:
    """Compare two images as discs.

    Args:
        a: one image.
        b: the other; differences are told as what it has instead.
        ignore: which of `PARTS` need not be the same. Without `subcode` P, Q and R-W may differ as
            long as they say the same: `layout` and `texts` look at what they say.
        max_offset: samples by which the sound may be moved.
        progress: told of sectors; the work grows when differences are found.

    Raises:
        ValueError: a part is unknown, or the largest offset negative.
        StorageError: an image cannot be read.
        CancelledError: `progress` said stop.
    """
    from rawcd.diff.layout import layout_differences, text_differences  # the command asks
    from rawcd.diff.offset import find_offset  # for PARTS alone, before anything is read
    from rawcd.diff.sectors import Pair, Work, compare

    ignore = frozenset(ignore)
    for part in sorted(ignore):
        if part not in PARTS:
            raise ValueError(f"{part!r} is none of {', '.join(PARTS)}")
    if max_offset < 0:
        raise ValueError(f"sound cannot be moved by up to {max_offset} samples")
    pair = Pair.of(a, b)
    work = Work(pair.sectors, progress)
    tallies = compare(pair, work.next_part(pair.sectors))
    found: list[Difference] = []
    offset = told = None
    elsewhere = pair.extent()
    if elsewhere is not None or tallies.of_q:
        told, other = pair.a.survey(work), pair.b.survey(work)
        if "layout" not in ignore:
            found += [] if elsewhere is None else [elsewhere]
            found += layout_differences(told, other)
    if tallies.of_texts and "texts" not in ignore:
        found += text_differences(pair)
    if "main" not in ignore:
        found += tallies.main()
        if tallies.sound_places:
            told = told or pair.a.survey(work)
            places, more = tallies.sound_places, work.next_part(pair.sectors)
            offset = find_offset(pair, places, max_offset, told, more)
    if "subcode" not in ignore:
        found += tallies.subcode()
    if found:
        told = told or pair.a.survey(work)
        found = [each.at_home(told) for each in found]
    return Comparison(
        sectors=pair.sectors, differences=tuple(found), offset=offset, notes=pair.notes
    )
