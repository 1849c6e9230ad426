"""What a session stands on: a blank disc, or the sessions of an image before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rawcd.creator.material import kind_of
from rawcd.creator.refusals import refusal
from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    IMAGE_LEAD_IN_LBA,
    LATER_LEAD_OUT_SECTORS,
    Disc,
)
from rawcd.image import ImageType, RegionImage, SubForm
from rawcd.msf import PROGRAM_LBA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.cdtext import CDText
    from rawcd.disc import Session
    from rawcd.image import Note, Region, SubRegion
    from rawcd.subcode.style import Style


@dataclass(frozen=True, slots=True)
class Base:
    """The ground of a session.

    Attributes:
        image: what holds the sessions before it, or None on a blank disc.
    """

    image: RegionImage | None = None

    @classmethod
    def of(cls, image: object) -> Base:
        """Return the ground that an image is, if a session may follow it.

        A lead-in that was recorded must name a next session (point B0); one that is still to be
        made will.

        Raises:
            AuthoringError: this is no image that rawcd opened or made, or its disc is closed
                (E_INVALIDARG).
        """
        if image is None:
            return cls()
        if not isinstance(image, RegionImage):
            raise refusal(
                "argument",
                f"after= is {kind_of(image)}, and no image; give what open_image returns",
            )
        disc = image.disc
        if disc.appendable:
            return cls(image)
        session = disc.sessions[-1]
        recorded = any(
            region.form in (SubForm.RAW, SubForm.PQ16)
            for region in image.sub
            if region.lba < session.program_lba
            and region.lba + region.sectors > session.lead_in_lba
        )
        if recorded:
            raise refusal(
                "closed-disc",
                f"the disc is closed: the lead-in of its session {len(disc.sessions)} names no "
                "next one (point B0); author it as appendable, or start from its sheet",
            )
        return cls(replace(image, disc=replace(disc, appendable=True)))

    @property
    def lead_in_lba(self) -> int:
        """Where the session's lead-in begins."""
        return IMAGE_LEAD_IN_LBA if self.image is None else self.image.disc.end_lba

    @property
    def program_lba(self) -> int:
        """Where its program area begins."""
        return PROGRAM_LBA if self.image is None else self.image.disc.next_program_lba

    @property
    def lead_out_sectors(self) -> int:
        """How long its lead-out is."""
        return FIRST_LEAD_OUT_SECTORS if self.image is None else LATER_LEAD_OUT_SECTORS

    @property
    def first_number(self) -> int:
        """The number of its first track; on a blank disc it may be another."""
        return 1 if self.image is None else self.image.disc.tracks[-1].number + 1

    def require_blank(self, what: str) -> None:
        """Refuse what belongs to the disc's first session.

        Raises:
            AuthoringError: there are sessions before this one (E_INVALIDARG).
        """
        if self.image is not None:
            raise refusal(
                "argument", f"{what} belongs to the disc, and was settled by its first session"
            )

    def disc_with(
        self,
        session: Session,
        *,
        mcn: str | None,
        cdtext: CDText | None,
        appendable: bool,
        last_lead_out_lba: int,
    ) -> Disc:
        """Return the disc that the session ends; what is the disc's own comes from its first."""
        if self.image is not None:
            before = self.image.disc
            return replace(before, sessions=(*before.sessions, session), appendable=appendable)
        return Disc(
            sessions=(session,),
            mcn=mcn,
            cdtext=cdtext,
            appendable=appendable,
            last_lead_out_lba=last_lead_out_lba,
        )

    def image_with(
        self,
        *,
        disc: Disc,
        main: Sequence[Region],
        sub: SubRegion,
        kind: ImageType,
        style: Style,
        notes: Sequence[Note],
    ) -> RegionImage:
        """Return the image that spans the sessions before and the new one."""
        before = self.image
        if before is None:
            return RegionImage(
                disc=disc, main=tuple(main), sub=(sub,), kind=kind, style=style, notes=tuple(notes)
            )
        return RegionImage(
            disc=disc,
            main=(*before.main, *main),
            sub=(*before.sub, sub),
            kind=kind,
            style=style,
            notes=(*before.notes, *notes),
            inputs=before.inputs,
        )
