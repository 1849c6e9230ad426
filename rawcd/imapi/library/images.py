"""The table: the raw image (imapi2.h, IRawCDImageCreator and IRawCDImageTrackInfo)."""

from __future__ import annotations

from typing import Final

from rawcd.hresults import HResult
from rawcd.imapi.library.values import (
    BOOL,
    BSTR,
    LONG,
    LONGS,
    STREAM,
    CoClass,
    Interface,
    an_object,
    argument,
    get,
    get_put,
    indexed,
    method,
)

_ADDED: Final = {False: HResult.S_IMAPI_RAW_IMAGE_TRACK_INDEX_ALREADY_EXISTS, True: HResult.S_OK}

INTERFACES: Final = (
    Interface(
        name="IRawCDImageCreator",
        iid="25983550-9D65-49CE-B335-40630D901227",
        members=(
            get_put("ResultingImageType", 0x100, LONG, "resulting_image_type"),
            get("StartOfLeadout", 0x101, LONG, "start_of_leadout"),
            get_put("StartOfLeadoutLimit", 0x102, LONG, "start_of_leadout_limit"),
            get_put("DisableGaplessAudio", 0x103, BOOL, "disable_gapless_audio"),
            get_put("MediaCatalogNumber", 0x104, BSTR, "media_catalog_number"),
            get_put("StartingTrackNumber", 0x105, LONG, "starting_track_number"),
            indexed(
                "TrackInfo",
                0x106,
                an_object("IRawCDImageTrackInfo"),
                "track_info",
                argument("trackIndex", LONG, "track_index"),
            ),
            get("NumberOfExistingTracks", 0x107, LONG, "number_of_existing_tracks"),
            get("LastUsedUserSectorInImage", 0x108, LONG, "last_used_user_sector_in_image"),
            get("ExpectedTableOfContents", 0x109, LONGS, "expected_table_of_contents"),
            method("CreateResultImage", 0x200, "create_result_image", gives=STREAM),
            method(
                "AddTrack",
                0x201,
                "add_track",
                argument("dataType", LONG, "sector_type"),
                argument("data", STREAM, "data"),
                gives=LONG,
            ),
            method(
                "AddSpecialPregap", 0x202, "add_special_pregap", argument("data", STREAM, "data")
            ),
            method(
                "AddSubcodeRWGenerator",
                0x203,
                "add_subcode_rw_generator",
                argument("subcode", STREAM, "subcode"),
            ),
        ),
    ),
    Interface(
        name="IRawCDImageTrackInfo",
        iid="25983551-9D65-49CE-B335-40630D901227",
        members=(
            get("StartingLba", 0x100, LONG, "starting_lba"),
            get("SectorCount", 0x101, LONG, "sector_count"),
            get("TrackNumber", 0x102, LONG, "track_number"),
            get("SectorType", 0x103, LONG, "sector_type"),
            get_put("ISRC", 0x104, BSTR, "isrc"),
            get_put("DigitalAudioCopySetting", 0x105, LONG, "digital_audio_copy_setting"),
            get_put("AudioHasPreemphasis", 0x106, BOOL, "audio_has_preemphasis"),
            get("TrackIndexes", 0x107, LONGS, "track_indexes"),
            method(
                "AddTrackIndex",
                0x200,
                "add_track_index",
                argument("lbaOffset", LONG, "lba_offset"),
                codes=_ADDED,
            ),
            method(
                "ClearTrackIndex",
                0x201,
                "clear_track_index",
                argument("lbaOffset", LONG, "lba_offset"),
            ),
        ),
    ),
)

CLASSES: Final = (
    CoClass(
        name="MsftRawCDImageCreator",
        progid="IMAPI2.MsftRawCDImageCreator",
        clsid="25983561-9D65-49CE-B335-40630D901227",
        interface="IRawCDImageCreator",
        maker="rawcd.creator:RawCDImageCreator",
        options={"strict": True},
    ),
)
