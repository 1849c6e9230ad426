"""The table: IMAPI version 1 (imapi.h).

None of these interfaces is an IDispatch, so that no DISPIDs exist; what C hands out by pointers
comes as the result, several as a tuple.
"""

from __future__ import annotations

from typing import Final

from rawcd.imapi.library.values import (
    ANY,
    BOOL,
    BSTR,
    BYTES,
    FOLDER,
    IID,
    IIDS,
    LONG,
    LONGS,
    NUMBER,
    PROPERTIES,
    SINK,
    TEXTS,
    CoClass,
    Interface,
    Member,
    Shape,
    an_object,
    argument,
    count_of,
    items,
    method,
    objects,
    parts,
)

_MADE_BY_US: Final = "recorders come from EnumDiscRecorders, which initialises them"
_RECORDER: Final = an_object("IDiscRecorder")
_MASTER_OF_FORMAT: Final = an_object("")


def _of_enumerator(name: str, each: Shape, several: Shape) -> tuple[Member, ...]:
    """Return the rows of an enumerator; Next answers a tuple, shorter where fewer are left."""
    return (
        items(each),
        method("Next", None, "next", argument("cNum", LONG, "count", 1), gives=several),
        method("Skip", None, "skip", argument("cNum", LONG, "count")),
        method("Reset", None, "reset"),
        method("Clone", None, "clone", gives=an_object(name)),
    )


def _told(name: str, ours: str, *numbers: str) -> Member:
    return method(name, None, ours, *(argument(each, LONG, each) for each in numbers))


INTERFACES: Final = (
    Interface(
        name="IDiscMaster",
        iid="520CCA62-51A5-11D3-9144-00104BA11C5E",
        members=(
            method("Open", None, "open"),
            method(
                "EnumDiscMasterFormats",
                None,
                "enum_disc_master_formats",
                gives=an_object("IEnumDiscMasterFormats"),
            ),
            method("GetActiveDiscMasterFormat", None, "get_active_disc_master_format", gives=IID),
            method(
                "SetActiveDiscMasterFormat",
                None,
                "set_active_disc_master_format",
                argument("riid", IID, "kind"),
                gives=_MASTER_OF_FORMAT,
            ),
            method(
                "EnumDiscRecorders",
                None,
                "enum_disc_recorders",
                gives=an_object("IEnumDiscRecorders"),
            ),
            method("GetActiveDiscRecorder", None, "get_active_disc_recorder", gives=_RECORDER),
            method(
                "SetActiveDiscRecorder",
                None,
                "set_active_disc_recorder",
                argument("pRecorder", _RECORDER, "recorder"),
            ),
            method("ClearFormatContent", None, "clear_format_content"),
            method(
                "ProgressAdvise",
                None,
                "progress_advise",
                argument("pEvents", SINK, "sink"),
                gives=NUMBER,
            ),
            method(
                "ProgressUnadvise",
                None,
                "progress_unadvise",
                argument("vCookie", NUMBER, "cookie"),
            ),
            method(
                "RecordDisc",
                None,
                "record_disc",
                argument("bSimulate", BOOL, "simulate"),
                argument("bEjectAfterBurn", BOOL, "eject_after_burn"),
            ),
            method("Close", None, "close"),
        ),
    ),
    Interface(
        name="IRedbookDiscMaster",
        iid="E3BC42CD-4E5C-11D3-9144-00104BA11C5E",
        members=(
            method("GetTotalAudioTracks", None, "get_total_audio_tracks", gives=LONG),
            method("GetTotalAudioBlocks", None, "get_total_audio_blocks", gives=LONG),
            method("GetUsedAudioBlocks", None, "get_used_audio_blocks", gives=LONG),
            method(
                "GetAvailableAudioTrackBlocks",
                None,
                "get_available_audio_track_blocks",
                gives=LONG,
            ),
            method("GetAudioBlockSize", None, "get_audio_block_size", gives=LONG),
            method(
                "CreateAudioTrack",
                None,
                "create_audio_track",
                argument("nBlocks", LONG, "blocks"),
            ),
            method(
                "AddAudioTrackBlocks",
                None,
                "add_audio_track_blocks",
                argument("pby", BYTES, "data"),
                count_of("cb", "data"),
            ),
            method("CloseAudioTrack", None, "close_audio_track"),
        ),
    ),
    Interface(
        name="IJolietDiscMaster",
        iid="E3BC42CE-4E5C-11D3-9144-00104BA11C5E",
        members=(
            method("GetTotalDataBlocks", None, "get_total_data_blocks", gives=LONG),
            method("GetUsedDataBlocks", None, "get_used_data_blocks", gives=LONG),
            method("GetDataBlockSize", None, "get_data_block_size", gives=LONG),
            method(
                "AddData",
                None,
                "add_data",
                argument("pStorage", FOLDER, "folder"),
                argument("lFileOverwrite", BOOL, "overwrite"),
            ),
            method("GetJolietProperties", None, "get_joliet_properties", gives=PROPERTIES),
            method(
                "SetJolietProperties",
                None,
                "set_joliet_properties",
                argument("pPropStg", PROPERTIES, "properties"),
            ),
        ),
    ),
    Interface(
        name="IDiscRecorder",
        iid="85AC9776-CA88-4CF2-894E-09598C078A41",
        members=(
            method("Init", None, None, why=_MADE_BY_US),
            method(
                "GetRecorderGUID",
                None,
                "get_recorder_guid",
                argument("cbBufferSize", LONG, "size", None),
                gives=BYTES,
            ),
            method("GetRecorderType", None, "get_recorder_type", gives=LONG),
            method("GetDisplayNames", None, "get_display_names", gives=TEXTS),
            method("GetBasePnPID", None, "get_base_pnp_id", gives=BSTR),
            method("GetPath", None, "get_path", gives=BSTR),
            method("GetRecorderProperties", None, "get_recorder_properties", gives=PROPERTIES),
            method(
                "SetRecorderProperties",
                None,
                "set_recorder_properties",
                argument("pPropStg", PROPERTIES, "properties"),
            ),
            method("GetRecorderState", None, "get_recorder_state", gives=LONG),
            method("OpenExclusive", None, "open_exclusive"),
            method("QueryMediaType", None, "query_media_type", gives=LONGS),
            method(
                "QueryMediaInfo",
                None,
                "query_media_info",
                gives=parts(
                    ("sessions", LONG),
                    ("last_track", LONG),
                    ("start_address", LONG),
                    ("next_writable", LONG),
                    ("free_blocks", LONG),
                ),
            ),
            method("Eject", None, "eject"),
            method("Erase", None, "erase", argument("bFullErase", BOOL, "full")),
            method("Close", None, "close"),
        ),
    ),
    Interface(
        name="IDiscMasterProgressEvents",
        iid="EC9E51C1-4E5D-11D3-9144-00104BA11C5E",
        members=(
            method("QueryCancel", None, "query_cancel", gives=BOOL),
            _told("NotifyPnPActivity", "notify_pnp_activity"),
            _told("NotifyAddProgress", "notify_add_progress", "completed", "total"),
            _told("NotifyBlockProgress", "notify_block_progress", "completed", "total"),
            _told("NotifyTrackProgress", "notify_track_progress", "current", "total"),
            _told("NotifyPreparingBurn", "notify_preparing_burn", "seconds"),
            _told("NotifyClosingDisc", "notify_closing_disc", "seconds"),
            _told("NotifyBurnComplete", "notify_burn_complete", "hresult"),
            _told("NotifyEraseComplete", "notify_erase_complete", "hresult"),
        ),
    ),
    Interface(
        name="IEnumDiscMasterFormats",
        iid="DDF445E1-54BA-11D3-9144-00104BA11C5E",
        members=_of_enumerator("IEnumDiscMasterFormats", IID, IIDS),
    ),
    Interface(
        name="IEnumDiscRecorders",
        iid="9B1921E1-54AC-11D3-9144-00104BA11C5E",
        members=_of_enumerator("IEnumDiscRecorders", _RECORDER, objects("IDiscRecorder")),
    ),
    Interface(
        name="IPropertyStorage",
        iid="00000138-0000-0000-C000-000000000046",
        members=(
            items(BSTR),
            method(
                "ReadMultiple",
                None,
                "read_multiple",
                argument("props", TEXTS, "names"),
                gives=ANY,
            ),
            method(
                "WriteMultiple",
                None,
                "write_multiple",
                argument("props", TEXTS, "names"),
                argument("values", ANY, "values"),
                argument("minid", LONG, "first_id", 2),
            ),
        ),
    ),
)

CLASSES: Final = (
    CoClass(
        name="MSDiscMasterObj",
        progid="MSDiscMasterObj",
        clsid="520CCA63-51A5-11D3-9144-00104BA11C5E",
        interface="IDiscMaster",
        maker="rawcd.mastering:DiscMaster",
    ),
)
