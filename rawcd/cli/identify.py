"""`rawcd id`: under which names catalogues know a disc."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import click

from rawcd.cli.completing import FILE
from rawcd.cli.options import format_option, json_option, trust_paths_option
from rawcd.cli.terminal import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.identity import DiscIds

SCHEMA: Final = 1
"""Version of the JSON object; it grows only by new keys."""
_EXAMPLES: Final = """\b
Examples:
  rawcd id album.cue
  rawcd id album.cue --toc-only
  rawcd id album.raw --json | jq -r .musicbrainz
"""


@click.command(
    "id", short_help="Show the ids that catalogues give a disc, and its sums.", epilog=_EXAMPLES
)
@click.argument("image", metavar="IMAGE", type=FILE)
@click.option("--toc-only", is_flag=True, help="The ids alone; no sound is read.")
@format_option
@trust_paths_option
@json_option
def identify(
    image: str, toc_only: bool, format_name: str | None, trust_paths: bool, as_json: bool
) -> None:
    """Show a disc's MusicBrainz, FreeDB, AccurateRip and CUETools ids, and the tracks' sums.

    Nothing is looked up: the ids are computed from the table of contents, the sums (AccurateRip
    1 and 2, CRC-32) from the sound, and the catalogue number and ISRCs are checked.
    """
    from rawcd.identity import identify as identify_image
    from rawcd.plugins import open_image

    opened = open_image(image, format=format_name, trust_paths=trust_paths)
    quiet = as_json or toc_only
    bar = nullcontext() if quiet else progress_bar(image, sector_size=2352)
    with bar as progress:
        ids = identify_image(opened, checksums=not toc_only, progress=progress)
    if as_json:
        click.echo(json.dumps(describe(ids, file=image), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(ids)))


def describe(ids: DiscIds, *, file: str) -> dict[str, Any]:
    """Return the object that `rawcd id --json` prints; sums are eight hexadecimal digits."""
    return {
        "rawcd_id": SCHEMA,
        "file": file,
        "musicbrainz": ids.musicbrainz,
        "musicbrainz_toc": ids.toc,
        "musicbrainz_url": ids.musicbrainz_url,
        "freedb": ids.freedb,
        "accuraterip": ids.accuraterip,
        "accuraterip_url": ids.accuraterip_url,
        "cuetools": ids.cuetools,
        "mcn": ids.mcn,
        "mcn_valid": ids.mcn_valid,
        "tracks": [
            {
                "number": track.number,
                "lba": track.lba,
                "sectors": track.sectors,
                "isrc": track.isrc,
                "isrc_valid": track.isrc_valid,
                "accuraterip_v1": track.sums and f"{track.sums.v1:08X}",
                "accuraterip_v2": track.sums and f"{track.sums.v2:08X}",
                "crc32": track.sums and f"{track.sums.crc32:08X}",
            }
            for track in ids.tracks
        ],
    }


def _lines(ids: DiscIds) -> Iterator[str]:
    """Yield the same for people."""
    none = "none (no sound)"
    yield f"MusicBrainz  {ids.musicbrainz or none}"
    if ids.musicbrainz_url is not None:
        yield f"  TOC        {ids.toc}"
        yield f"  look up    {ids.musicbrainz_url}"
    yield f"FreeDB       {ids.freedb}"
    yield f"AccurateRip  {ids.accuraterip or none}"
    if ids.accuraterip_url is not None:
        yield f"  look up    {ids.accuraterip_url}"
    yield f"CUETools     {ids.cuetools or none}"
    yield f"catalogue    {ids.mcn or 'none'}{_remark(ids.mcn_valid, 'wrong check digit')}"
    if not ids.tracks:
        return
    yield "track  start     sectors  AccurateRip v1  v2        CRC-32    ISRC"
    for track in ids.tracks:
        sums = track.sums
        shown = (sums.v1, sums.v2, sums.crc32) if sums else (None, None, None)
        v1, v2, crc = ("-" if each is None else f"{each:08X}" for each in shown)
        yield (
            f"{track.number:5}  {track.lba:<8}  {track.sectors:7}  {v1:14}  {v2:8}  {crc:8}  "
            f"{track.isrc or '-'}{_remark(track.isrc_valid, 'not formed as ISO 3901 wants it')}"
        )


def _remark(valid: bool | None, words: str) -> str:
    return f" ({words})" if valid is False else ""
