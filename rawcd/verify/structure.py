"""The disc as its bytes tell it: whether it may be at all, and who stumbles over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    LAST_LEAD_OUT_LBA,
    LATER_LEAD_OUT_SECTORS,
    PREGAP_SECTORS,
    Area,
    CopySetting,
    Disc,
    DiscType,
    Index,
    Session,
    Track,
    TrackMode,
)
from rawcd.msf import Msf
from rawcd.rules import rule_breaks
from rawcd.subcode.frame import POINT_FIRST_TRACK, POINT_NEXT_SESSION, POINTER_ADR, QPosition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.survey import Run, Survey
    from rawcd.verify.collecting import Findings
    from rawcd.verify.evidence import Evidence

_COPY = 2
_DATA = 4
_CLOSED = b"\xff\xff\xff"


def disc_of(survey: Survey) -> Disc:
    """Return the disc that a survey tells of.

    Raises:
        ValueError: what it tells contradicts itself.
    """
    count = survey.runs[-1].session
    sessions = tuple(_session(survey, number) for number in range(1, count + 1))
    pointer = next(
        (
            entry.pointer
            for entry in survey.toc
            if entry.session == count
            and (entry.pointer.adr, entry.pointer.point) == (POINTER_ADR, POINT_NEXT_SESSION)
        ),
        None,
    )
    return Disc(
        sessions=sessions,
        mcn=survey.mcn,
        appendable=pointer is not None and pointer.running != _CLOSED,
    )


def _session(survey: Survey, number: int) -> Session:
    runs = [run for run in survey.runs if run.session == number]
    lead_out = next((run for run in runs if run.area is Area.LEAD_OUT), None)
    if lead_out is None:
        raise ValueError(f"session {number} has no lead-out")
    kind = next(
        (
            entry.pointer.value[1]
            for entry in survey.toc
            if entry.session == number
            and (entry.pointer.adr, entry.pointer.point) == (QPosition.adr, POINT_FIRST_TRACK)
        ),
        DiscType.CDDA_CDROM,
    )
    return Session(
        tracks=tuple(_tracks(survey, runs, lead_out.lba)),
        lead_in_lba=runs[0].lba,
        lead_out_lba=lead_out.lba,
        lead_out_sectors=lead_out.sectors,
        disc_type=DiscType(kind) if kind in tuple(DiscType) else DiscType.CDDA_CDROM,
    )


def _tracks(survey: Survey, runs: list[Run], end_lba: int) -> Iterator[Track]:
    by_track: dict[int, list[Run]] = {}
    for run in runs:
        if run.track is not None:
            by_track.setdefault(run.track, []).append(run)
    ends = [*(each[0].lba for each in list(by_track.values())[1:]), end_lba]
    for (number, own), end in zip(by_track.items(), ends, strict=True):
        indexes: dict[int, int] = {}
        for run in own:
            indexes.setdefault(run.index or 0, run.lba)
        whole = next((run for run in own if run.index), own[0])
        control = whole.control or 0
        copied = CopySetting.PERMITTED if control & _COPY else CopySetting.PROHIBITED
        mode = whole.mode
        if mode is None:
            mode = TrackMode.MODE1 if control & _DATA else TrackMode.AUDIO
        yield Track(
            number=number,
            mode=mode,
            indexes=tuple(Index(number=index, lba=lba) for index, lba in indexes.items()),
            end_lba=end,
            copy=CopySetting.SCMS if whole.scms else copied,
            pre_emphasis=bool(control & 1),
            four_channel=bool(control & 8),
            isrc=survey.isrc(number),
        )


def check_structure(evidence: Evidence, findings: Findings) -> None:
    """Judge the layout by the law of authoring, and warn of what programs are known to lose."""
    survey = evidence.survey
    if survey.runs[0].area is not Area.LEAD_IN:
        return
    _check_lead_outs(survey, findings)
    try:
        disc = disc_of(survey)
    except ValueError as error:
        findings.add("contradiction", None, str(error))
        return
    for each in rule_breaks(disc):
        findings.add(each.rule, each.lba, each.message, track=each.track)
    _warn(disc, findings)


def _check_lead_outs(survey: Survey, findings: Findings) -> None:
    for run in survey.runs:
        least = FIRST_LEAD_OUT_SECTORS if run.session == 1 else LATER_LEAD_OUT_SECTORS
        if run.area is Area.LEAD_OUT and run.sectors < least:
            findings.add(
                "short-lead-out",
                run.lba,
                f"a lead-out of {run.sectors} sectors; it should have {least}",
            )


def _warn(disc: Disc, findings: Findings) -> None:
    first, last = disc.tracks[0], disc.tracks[-1]
    if first.number != 1:
        message = f"the first track is {first.number}; cdrdao makes it 1, chdman refuses it"
        findings.add("first-track-number", first.start_lba, message)
    if first.is_audio and first.pregap_sectors > PREGAP_SECTORS:
        hidden = first.pregap_sectors - PREGAP_SECTORS
        message = f"{hidden} sectors before track {first.number} hold sound that some lose"
        findings.add("hidden-sound", first.first_lba + PREGAP_SECTORS, message)
    if last.number == 99:
        message = "libMirage loses track 99 of CCD and MDS files"
        findings.add("track-99", last.start_lba, message)
    for track in disc.tracks:
        if track.four_channel and track.is_audio:
            message = "players take four channels for two"
            findings.add("four-channels", track.start_lba, message, track=track.number)
        if track.indexes[-1].number > 1:
            message = f"{track.indexes[-1].number} indexes; chdman and bchunk lose those above 1"
            findings.add("many-indexes", track.start_lba, message, track=track.number)
    lead_out = disc.sessions[-1].lead_out_lba
    if lead_out > LAST_LEAD_OUT_LBA:
        message = f"the lead-out begins at {Msf.from_lba(lead_out)}; most blanks end at 79:59:74"
        findings.add("lead-out-late", lead_out, message)
