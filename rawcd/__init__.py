"""Author raw CD images: tracks in, 2,448-byte sectors out.

The face of the package: names only, each loaded when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.late import late_names

if TYPE_CHECKING:
    from rawcd import cdg, cdtext, filesystem, sector, subcode
    from rawcd.cdtext import CDText, TextBlock, TextItem
    from rawcd.creator import RawCDImageCreator, TrackInfo
    from rawcd.diff import AudioOffset, Comparison, Difference, diff_images
    from rawcd.disc import (
        Area,
        CopySetting,
        Disc,
        DiscType,
        Index,
        Place,
        Session,
        Track,
        TrackMode,
    )
    from rawcd.errors import (
        AuthoringError,
        CancelledError,
        DriveError,
        FormatError,
        MasteringError,
        MissingExtraError,
        PluginError,
        RawCDError,
        StorageError,
        UnsupportedError,
    )
    from rawcd.extract import ExtractedFile, Extraction, extract_image
    from rawcd.features import Feature, Loss, losses
    from rawcd.hresults import HResult
    from rawcd.identity import DiscIds, TrackIdentity, TrackSums, disc_ids, identify
    from rawcd.image import (
        DiscImage,
        ImageType,
        MainForm,
        Note,
        Region,
        RegionImage,
        SubForm,
        SubRegion,
        main_sectors,
    )
    from rawcd.msf import Msf
    from rawcd.plugins import WriteResult, open_image, save_image
    from rawcd.progress import BurnAction, BurnProgress
    from rawcd.recorders import RecorderFacts, burn_image, find_recorder, list_recorders
    from rawcd.report import (
        map_png,
        map_svg,
        map_text,
        report_html,
        write_map,
        write_report,
    )
    from rawcd.rules import RuleBreak, rule_breaks
    from rawcd.sector import SectorType
    from rawcd.source import (
        ArraySource,
        FileSource,
        SilenceSource,
        Source,
        StreamSource,
    )
    from rawcd.subcode import Style
    from rawcd.verify import Finding, Report, Severity, verify_image

__version__: Final = "0.1.0"

__all__ = [
    "Area",
    "ArraySource",
    "AudioOffset",
    "AuthoringError",
    "BurnAction",
    "BurnProgress",
    "CDText",
    "CancelledError",
    "Comparison",
    "CopySetting",
    "Difference",
    "Disc",
    "DiscIds",
    "DiscImage",
    "DiscType",
    "DriveError",
    "ExtractedFile",
    "Extraction",
    "Feature",
    "FileSource",
    "Finding",
    "FormatError",
    "HResult",
    "ImageType",
    "Index",
    "Loss",
    "MainForm",
    "MasteringError",
    "MissingExtraError",
    "Msf",
    "Note",
    "Place",
    "PluginError",
    "RawCDError",
    "RawCDImageCreator",
    "RecorderFacts",
    "Region",
    "RegionImage",
    "Report",
    "RuleBreak",
    "SectorType",
    "Session",
    "Severity",
    "SilenceSource",
    "Source",
    "StorageError",
    "StreamSource",
    "Style",
    "SubForm",
    "SubRegion",
    "TextBlock",
    "TextItem",
    "Track",
    "TrackIdentity",
    "TrackInfo",
    "TrackMode",
    "TrackSums",
    "UnsupportedError",
    "WriteResult",
    "__version__",
    "burn_image",
    "cdg",
    "cdtext",
    "diff_images",
    "disc_ids",
    "extract_image",
    "filesystem",
    "find_recorder",
    "identify",
    "list_recorders",
    "losses",
    "main_sectors",
    "map_png",
    "map_svg",
    "map_text",
    "open_image",
    "report_html",
    "rule_breaks",
    "save_image",
    "sector",
    "subcode",
    "verify_image",
    "write_map",
    "write_report",
]

__getattr__, __dir__ = late_names(
    __name__,
    {
        "rawcd": ("cdg", "cdtext", "filesystem", "sector", "subcode"),
        "rawcd.cdtext": ("CDText", "TextBlock", "TextItem"),
        "rawcd.creator": ("RawCDImageCreator", "TrackInfo"),
        "rawcd.diff": ("AudioOffset", "Comparison", "Difference", "diff_images"),
        "rawcd.disc": (
            "Area",
            "CopySetting",
            "Disc",
            "DiscType",
            "Index",
            "Place",
            "Session",
            "Track",
            "TrackMode",
        ),
        "rawcd.errors": (
            "AuthoringError",
            "CancelledError",
            "DriveError",
            "FormatError",
            "MasteringError",
            "MissingExtraError",
            "PluginError",
            "RawCDError",
            "StorageError",
            "UnsupportedError",
        ),
        "rawcd.extract": ("ExtractedFile", "Extraction", "extract_image"),
        "rawcd.features": ("Feature", "Loss", "losses"),
        "rawcd.hresults": ("HResult",),
        "rawcd.identity": ("DiscIds", "TrackIdentity", "TrackSums", "disc_ids", "identify"),
        "rawcd.image": (
            "DiscImage",
            "ImageType",
            "MainForm",
            "Note",
            "Region",
            "RegionImage",
            "SubForm",
            "SubRegion",
            "main_sectors",
        ),
        "rawcd.msf": ("Msf",),
        "rawcd.plugins": ("WriteResult", "open_image", "save_image"),
        "rawcd.progress": ("BurnAction", "BurnProgress"),
        "rawcd.recorders": ("RecorderFacts", "burn_image", "find_recorder", "list_recorders"),
        "rawcd.report": (
            "map_png",
            "map_svg",
            "map_text",
            "report_html",
            "write_map",
            "write_report",
        ),
        "rawcd.rules": ("RuleBreak", "rule_breaks"),
        "rawcd.sector": ("SectorType",),
        "rawcd.source": ("ArraySource", "FileSource", "SilenceSource", "Source", "StreamSource"),
        "rawcd.subcode": ("Style",),
        "rawcd.verify": ("Finding", "Report", "Severity", "verify_image"),
    },
)
