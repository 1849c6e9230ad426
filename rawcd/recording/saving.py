"""What of an image goes into such files, and what of it can be read back from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.disc import PREGAP_SECTORS, CopySetting
from rawcd.errors import UnsupportedError
from rawcd.features import Feature
from rawcd.image import ImageType, RegionImage, SubForm
from rawcd.recording.layout import Layout
from rawcd.recording.values import Sheet, Stored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.disc import Disc, Index, Track
    from rawcd.image import DiscImage

SUB: Final = "sub"
"""The option by which a format is told to store subcode even where rawcd would make just that."""


def program_stretches(disc: Disc) -> tuple[tuple[int, int], ...]:
    """Return for each session the LBAs, first and one past the last, that such files hold.

    The two seconds before a session are not stored; a longer pregap of its first track is, from
    there on.

    Raises:
        UnsupportedError: a track begins before LBA 0.
    """
    stretches = []
    for session in disc.sessions:
        first = min(session.program_lba + PREGAP_SECTORS, session.tracks[0].start_lba)
        if first < 0:
            raise UnsupportedError(
                f"track {session.tracks[0].number} begins at LBA {first}; such a file begins at 0"
            )
        stretches.append((first, session.lead_out_lba))
    return tuple(stretches)


RECORDED: Final = frozenset(
    {
        Feature.MCN,
        Feature.ISRC,
        Feature.COPY_PERMITTED,
        Feature.SCMS,
        Feature.PRE_EMPHASIS,
        Feature.FOUR_CHANNEL,
        Feature.PREGAPS,
        Feature.PREGAP_DATA,
        Feature.INDEXES,
        Feature.FIRST_TRACK_NUMBER,
        Feature.DATA_TRACKS,
        Feature.MODE0_TRACKS,
        Feature.RAW_SECTORS,
        Feature.DISC_TYPE,
        Feature.CDI_TYPE,
        Feature.APPENDABLE,
        Feature.STORED_PQ,
        Feature.RW,
        Feature.DATA_RW,
    }
)
"""What program areas with their subcode and a table of contents keep."""
SUBCODE_FEATURES: Final = frozenset(
    {Feature.MCN, Feature.ISRC, Feature.SCMS, Feature.PREGAPS, Feature.INDEXES}
)
"""What a format without a field for it leaves to the subcode."""


def told_by_subcode(image: DiscImage) -> frozenset[Feature]:
    """Return which of MCN, ISRC, SCMS, pregaps and indexes can be read back from the subcode.

    Subcode that is made tells all of them. Recorded subcode may not: the disc may have them from
    a sheet beside it, and where it is stored again without that sheet they would be gone.

    Raises:
        StorageError: the subcode cannot be read.
    """
    if not isinstance(image, RegionImage):
        return SUBCODE_FEATURES
    forms = (SubForm.RAW, SubForm.PQ16)
    if not any(region.form in forms for region in image.sub):
        return SUBCODE_FEATURES
    from rawcd.graphics import DiscSubcode
    from rawcd.toc import LeadIn, lead_in_pointers

    disc = image.disc
    sheet = Sheet(
        name="the image",
        lead_ins=[
            LeadIn.of(lead_in_pointers(disc, number)) for number in range(1, len(disc.sessions) + 1)
        ],
    )
    source = DiscSubcode(image.as_kind(ImageType.RAW))
    stored = [
        Stored(
            lba=first, sectors=end - first, main=source, sub=source, start=first - disc.first_lba
        )
        for first, end in program_stretches(disc)
    ]
    try:
        found = Layout(sheet, stored, ask_headers=False).disc()
    except ValueError:
        return frozenset()
    pairs = list(zip(disc.tracks, found.tracks, strict=True))
    told = {
        Feature.MCN: disc.mcn in (None, found.mcn),
        Feature.ISRC: all(own.isrc in (None, other.isrc) for own, other in pairs),
        Feature.SCMS: all(own.copy in (other.copy, CopySetting.PROHIBITED) for own, other in pairs),
        Feature.PREGAPS: all(own.first_lba == other.first_lba for own, other in pairs),
        Feature.INDEXES: all(_above_1(own) <= _above_1(other) for own, other in pairs),
    }
    return frozenset(feature for feature, holds in told.items() if holds)


def _above_1(track: Track) -> set[Index]:
    return {index for index in track.indexes if index.number > 1}


def with_raw_subcode(image: DiscImage) -> DiscImage:
    """Return an image whose subcode is as on the disc, 96 bytes a sector.

    Raises:
        UnsupportedError: it is of another kind, and cannot be had in this one.
    """
    if isinstance(image, RegionImage):
        return image.as_kind(ImageType.RAW)
    if image.kind is not ImageType.RAW:
        raise UnsupportedError(
            f"the image has subcode of kind {image.kind.name}; 96 bytes as on the disc are needed"
        )
    return image


def wants_subcode(options: Mapping[str, str]) -> bool:
    """Read the option `sub`; False where it is not given.

    Raises:
        UnsupportedError: it is neither yes nor no.
    """
    text = options.get(SUB, "no")
    if text not in ("yes", "no"):
        raise UnsupportedError(f"the option {SUB} is yes or no, not {text!r}")
    return text == "yes"
