"""`rawcd info`: what a disc image says, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from rawcd.cli.completing import FILE
from rawcd.cli.options import (
    KINDS,
    format_option,
    json_option,
    stored_rw_option,
    trust_paths_option,
)
from rawcd.cli.terminal import one_line
from rawcd.errors import FormatError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rawcd.cdtext import TextBlock
    from rawcd.disc import Disc, Session, Track
    from rawcd.image import DiscImage, Note

SCHEMA: Final = 1
"""Version of the JSON object; it grows only by new keys."""
_SHOWN_ABOVE: Final = ("title", "performer")
_PROBES: Final = 256
_PROBE_SECTORS: Final = 4
_EXAMPLES: Final = """\b
Examples:
  rawcd info album.cue
  rawcd info karaoke.raw --type cooked
  rawcd info album.raw --json | jq .sessions[0].tracks[].title
"""


@click.command(short_help="Show what is on a disc image.", epilog=_EXAMPLES)
@click.argument("image", metavar="IMAGE", type=FILE)
@json_option
@format_option
@stored_rw_option
@trust_paths_option
def info(
    image: str, as_json: bool, format_name: str | None, kind: str | None, trust_paths: bool
) -> None:
    """Show what is on a disc image: tracks, indexes, codes, flags, and what was noted."""
    from rawcd.fileset import InputFiles
    from rawcd.image import ImageType
    from rawcd.plugins import main_file, open_image, recognised_format

    files = InputFiles(main_file(image), trust_paths=trust_paths)
    name = format_name or recognised_format(files)
    rw = None if kind is None else ImageType(1 + KINDS.index(kind))
    opened = open_image(files, format=name, rw=rw)
    description = describe(opened, file=image, format_name=name)
    if as_json:
        click.echo(json.dumps(description, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(map(one_line, _lines(description))))
        for note in opened.notes:
            click.echo(f"note: {one_line(str(note))}")


def describe(image: DiscImage, *, file: str, format_name: str) -> dict[str, Any]:
    """Return the object that `rawcd info --json` prints.

    Absent is None, never a missing key; MSF is `"mm:ss:ff"`.
    """
    disc, rw = image.disc, _rw_kinds(image)
    return {
        "rawcd_info": SCHEMA,
        "file": file,
        "format": format_name,
        "type": KINDS[image.kind - 1],
        "sector_size": image.sector_size,
        "first_lba": image.first_lba,
        "sector_count": image.sector_count,
        "mcn": disc.mcn,
        "title": _text(disc, "title", 0),
        "performer": _text(disc, "performer", 0),
        "cdtext": [] if disc.cdtext is None else [_block(block) for block in disc.cdtext.blocks],
        "rw": sorted({kind for kinds in rw.values() for kind in kinds}),
        "appendable": disc.appendable,
        "sessions": [
            _session(disc, number, session, rw) for number, session in enumerate(disc.sessions, 1)
        ],
        "volumes": _volumes(image),
        "notes": [_note(note) for note in image.notes],
    }


def _msf(lba: int) -> str:
    from rawcd.msf import Msf

    return str(Msf.from_lba(lba))


def _text(disc: Disc, name: str, track: int) -> str | None:
    return None if disc.cdtext is None else disc.cdtext.text(name, track)


def _rw_kinds(image: DiscImage) -> dict[int, list[str]]:
    """Return what kinds of R-W packs each track holds, by probing stretches all over the disc."""
    from rawcd.image import ImageType, RegionImage, SubForm

    if not isinstance(image, RegionImage) or image.kind is ImageType.PQ_ONLY:
        return {}
    if all(region.form is SubForm.MADE for region in image.sub):
        return {}
    import numpy as np

    from rawcd.subcode import PackKind, RawPW, pack_kinds

    session = image.disc.sessions[0]
    step = max((session.lead_out_lba - session.program_lba) // _PROBES, 1)
    found: dict[int, list[str]] = {}
    for track in session.tracks:
        kinds: set[PackKind] = set()
        for lba in range(track.first_lba, track.end_lba, step):
            rows = np.empty((min(_PROBE_SECTORS, image.disc.end_lba - lba), 96), np.uint8)
            image.read_sub_into(lba, rows)
            kinds.update(kind for kind, packs in pack_kinds(RawPW(rows)).items() if packs)
        found[track.number] = sorted(kind.name for kind in kinds - {PackKind.ZERO})
    return found


def _block(block: TextBlock) -> dict[str, Any]:
    from rawcd.cdtext import charset_name, language_name

    return {
        "language": language_name(block.language) or f"language {block.language:02X}h",
        "charset": charset_name(block.charset),
        "genre_code": block.genre_code,
        "items": [
            {"field": item.field, "track": item.track, "text": item.shown} for item in block.items
        ],
    }


def _volumes(image: DiscImage) -> list[dict[str, Any]]:
    """Return the file systems at the heads of sessions; data without one is no mistake."""
    from rawcd.filesystem import DiscBlocks, StoredVolume

    found = []
    blocks = DiscBlocks(image)
    for lba in blocks.session_starts():
        try:
            volume = StoredVolume(blocks, lba=lba)
        except (FormatError, UnsupportedError):
            continue
        found.append({"lba": lba, "volume_id": volume.volume_id, "trees": list(volume.kinds)})
    return found


def _session(
    disc: Disc, number: int, session: Session, rw: Mapping[int, list[str]]
) -> dict[str, Any]:
    return {
        "number": number,
        "disc_type": session.disc_type.name.lower(),
        "lead_in_lba": session.lead_in_lba,
        "lead_out_lba": session.lead_out_lba,
        "lead_out_msf": _msf(session.lead_out_lba),
        "tracks": [
            {**_track(disc, track), "rw": rw.get(track.number, [])} for track in session.tracks
        ],
    }


def _track(disc: Disc, track: Track) -> dict[str, Any]:
    return {
        "number": track.number,
        "mode": track.mode.name.lower(),
        "start_lba": track.start_lba,
        "start_msf": _msf(track.start_lba),
        "end_lba": track.end_lba,
        "sector_count": track.sector_count,
        "pregap_sectors": track.pregap_sectors,
        "copy": track.copy.name.lower(),
        "pre_emphasis": track.pre_emphasis,
        "four_channel": track.four_channel,
        "isrc": track.isrc,
        "indexes": [
            {"number": index.number, "lba": index.lba, "msf": _msf(index.lba)}
            for index in track.indexes
        ],
        "title": _text(disc, "title", track.number),
        "performer": _text(disc, "performer", track.number),
    }


def _note(note: Note) -> dict[str, Any]:
    return {
        "code": note.code,
        "message": note.message,
        "track": note.track,
        "file": note.file,
        "line": note.line,
    }


def _lines(about: dict[str, Any]) -> list[str]:
    """Return the same for people."""
    head = (
        f"{about['file']}: {about['format']}, {about['sector_count']} sectors of "
        f"{about['sector_size']} bytes from LBA {about['first_lba']} on, subcode {about['type']}"
    )
    lines = [head]
    album = " / ".join(text for text in (about["performer"], about["title"]) if text)
    if album:
        lines.append(f"album     {album}")
    if about["cdtext"]:
        names = ", ".join(block["language"] for block in about["cdtext"])
        lines.append(f"CD-TEXT   {names}")
        for number, block in enumerate(about["cdtext"]):
            lines.extend(_text_lines(block, said=_SHOWN_ABOVE if number == 0 else ()))
    if about["rw"]:
        lines.append(f"R-W       {', '.join(about['rw']).lower().replace('_', ' ')}")
    lines.append(f"catalogue {about['mcn'] or 'none'}")
    for session in about["sessions"]:
        lines.append(
            f"session {session['number']} ({session['disc_type']}): "
            f"lead-in {session['lead_in_lba']}, "
            f"lead-out {session['lead_out_lba']} ({session['lead_out_msf']})"
        )
        lines.append("track  mode   start     MSF       sectors  pregap  flags           ISRC")
        for track in session["tracks"]:
            lines.extend(_track_lines(track))
    for volume in about["volumes"]:
        trees = ", ".join(volume["trees"])
        lines.append(f"volume    {volume['volume_id'] or '(no name)'} at {volume['lba']}: {trees}")
    if about["appendable"]:
        lines.append("open for a further session")
    return lines


def _text_lines(block: dict[str, Any], *, said: Collection[str]) -> list[str]:
    """Return a block's texts, but for those fields that stand with the album and the tracks."""
    from rawcd.cdtext import genre_name

    head = f"  {block['language']} ({block['charset']})"
    lines = []
    if block["genre_code"] is not None:
        name = genre_name(block["genre_code"]) or "of no known genre"
        lines.append(f"{head} genre code {block['genre_code']:04X}h ({name})")
    for item in block["items"]:
        if item["field"] not in said:
            owner = f"track {item['track']}" if item["track"] else "album"
            lines.append(f"{head} {owner} {item['field']}: {item['text']}")
    return lines


def _track_lines(track: dict[str, Any]) -> list[str]:
    copy = {"permitted": "copy", "scms": "scms"}.get(track["copy"])
    flags = [copy, track["pre_emphasis"] and "pre", track["four_channel"] and "4ch"]
    shown = " ".join(flag for flag in flags if flag) or "-"
    row = (
        f"{track['number']:5}  {track['mode']:5} {track['start_lba']:7}  {track['start_msf']} "
        f"{track['sector_count']:9} {track['pregap_sectors']:7}  {shown:15} {track['isrc'] or '-'}"
    )
    lines = [row]
    if title := " / ".join(text for text in (track["performer"], track["title"]) if text):
        lines.append(f"       {title}")
    if track["rw"]:
        lines.append(f"       R-W {', '.join(track['rw']).lower().replace('_', ' ')}")
    later = [index for index in track["indexes"] if index["number"] > 1]
    if later:
        spots = ", ".join(f"{index['number']} at {index['lba']}" for index in later)
        lines.append(f"       index {spots}")
    return lines
