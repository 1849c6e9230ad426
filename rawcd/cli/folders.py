"""Folders on the command line: what kind of volume, and which session they become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from rawcd.filesystem import VolumeOptions
    from rawcd.image import RegionImage

_Command = TypeVar("_Command", bound=Callable[..., object])

_OPTIONS = (
    click.option(
        "--data",
        "data_folder",
        metavar="FOLDER",
        type=click.Path(exists=True, file_okay=False),
        help="Make an enhanced CD: the folder becomes an XA session behind the music.",
    ),
    click.option(
        "--onto",
        metavar="IMAGE",
        type=click.Path(exists=True, dir_okay=False),
        help="Make the folder a further session of this disc; its files stay visible.",
    ),
    click.option("--appendable", is_flag=True, help="Leave the disc open for a further session."),
    click.option("--xa", is_flag=True, help="Folders in XA form 1 sectors instead of Mode 1."),
    click.option(
        "--volume",
        metavar="NAME",
        default="CDROM",
        show_default=True,
        help="The file system's name.",
    ),
    click.option(
        "--joliet/--no-joliet", default=True, help="Unicode names for Windows.  [default: with]"
    ),
    click.option("--rock-ridge", is_flag=True, help="POSIX names, modes and links."),
    click.option("--udf", is_flag=True, help="UDF beside ISO 9660."),
    click.option(
        "--boot", metavar="PATH", help="The file in the folder that a PC starts from (El Torito)."
    ),
    click.option(
        "--relax", is_flag=True, help="Change names that the volume cannot hold; each is noted."
    ),
)


def folder_options(command: _Command) -> _Command:
    """Give a command the options of folders."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def is_image(path: str | Path) -> bool:
    """Tell whether a folder is an image by itself, as those of some formats are."""
    from rawcd.plugins import main_file

    return main_file(path) != Path(path)


def volume_options(
    *,
    volume: str,
    joliet: bool,
    rock_ridge: bool,
    udf: bool,
    boot: str | None,
    relax: bool,
) -> VolumeOptions:
    """Return what kind of volume the options ask for."""
    from rawcd.filesystem import BootImage, VolumeOptions

    return VolumeOptions(
        volume_id=volume,
        joliet=joliet,
        rock_ridge=rock_ridge,
        udf=udf,
        boot=(BootImage(path="/" + Path(boot).as_posix().strip("/")),) if boot else (),
        relax=relax,
    )


def from_folder(
    folder: str,
    options: VolumeOptions,
    *,
    onto: str | None = None,
    xa: bool = False,
    appendable: bool = False,
    limit: int | None = None,
    trust_paths: bool = False,
) -> RegionImage:
    """Return the image of a folder: a disc of its own, or a further session of another."""
    from rawcd.image import RegionImage
    from rawcd.plugins import open_image

    before = None
    if onto is not None:
        opened = open_image(onto, trust_paths=trust_paths)
        if not isinstance(opened, RegionImage):
            raise click.UsageError(f"--onto {onto}: its format gives images that cannot go on")
        before = opened
    return with_folder(before, folder, options, xa=xa, appendable=appendable, limit=limit)


def with_folder(
    before: RegionImage | None,
    folder: str,
    options: VolumeOptions,
    *,
    xa: bool,
    appendable: bool,
    limit: int | None = None,
) -> RegionImage:
    """Return an image with a folder as its next session, or as its only one."""
    from rawcd.creator import RawCDImageCreator
    from rawcd.image import ImageType
    from rawcd.sector import SectorType

    creator = RawCDImageCreator(after=before)
    if before is None:
        creator.resulting_image_type = ImageType.RAW
    if limit is not None:
        creator.start_of_leadout_limit = limit
    creator.appendable = appendable
    creator.add_folder(folder, SectorType.MODE2FORM1 if xa else SectorType.MODE1, options=options)
    return creator.create_result_image()


def left_open(image: RegionImage) -> RegionImage:
    """Return the image with a lead-in that names a further session.

    Raises:
        AuthoringError: its lead-in was recorded, and names none.
    """
    from rawcd.creator.appending import Base

    ground = Base.of(image).image
    return image if ground is None else replace(ground, disc=replace(ground.disc, appendable=True))
