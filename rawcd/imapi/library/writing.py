"""The table: recorders, the writers and what they tell meanwhile (imapi2.h)."""

from __future__ import annotations

from typing import Final

from rawcd.imapi.library.values import (
    BOOL,
    BSTR,
    LONG,
    LONGS,
    STREAM,
    TEXTS,
    Argument,
    CoClass,
    Interface,
    Member,
    an_object,
    argument,
    get,
    get_put,
    indexed,
    items,
    method,
    objects,
)

_RECORDER: Final = an_object("IDiscRecorder2")
_HOME: Final = "rawcd.mastering.formats2"


def _update(name: str, iid: str, writer: str, *told: Argument) -> Interface:
    """Return the interface of a writer's events: Update alone."""
    return Interface(
        name=name,
        iid=iid,
        members=(
            method(
                "Update", 0x200, "update", argument("object", an_object(writer), "writer"), *told
            ),
        ),
    )


def _of_every_format() -> tuple[Member, ...]:
    """Return the rows of IDiscFormat2, which all writers have."""
    return (
        get("MediaPhysicallyBlank", 0x700, BOOL, "media_physically_blank"),
        get("MediaHeuristicallyBlank", 0x701, BOOL, "media_heuristically_blank"),
        get("SupportedMediaTypes", 0x702, LONGS, "supported_media_types"),
        method(
            "IsRecorderSupported",
            0x800,
            "is_recorder_supported",
            argument("recorder", _RECORDER, "recorder"),
            gives=BOOL,
        ),
        method(
            "IsCurrentMediaSupported",
            0x801,
            "is_current_media_supported",
            argument("recorder", _RECORDER, "recorder"),
            gives=BOOL,
        ),
    )


def _speeds(first: int, set_write_speed: int) -> tuple[Member, ...]:
    """Return the rows about speed, which the writers number alike.

    Args:
        first: the DISPID of RequestedWriteSpeed.
        set_write_speed: that of SetWriteSpeed.
    """
    return (
        get("RequestedWriteSpeed", first, LONG, "requested_write_speed"),
        get(
            "RequestedRotationTypeIsPureCAV",
            first + 1,
            BOOL,
            "requested_rotation_type_is_pure_cav",
        ),
        get("CurrentWriteSpeed", first + 2, LONG, "current_write_speed"),
        get("CurrentRotationTypeIsPureCAV", first + 3, BOOL, "current_rotation_type_is_pure_cav"),
        get("SupportedWriteSpeeds", first + 4, LONGS, "supported_write_speeds"),
        get(
            "SupportedWriteSpeedDescriptors",
            first + 5,
            objects("IWriteSpeedDescriptor"),
            "supported_write_speed_descriptors",
        ),
        method(
            "SetWriteSpeed",
            set_write_speed,
            "set_write_speed",
            argument("RequestedSectorsPerSecond", LONG, "requested_sectors_per_second", -1),
            argument("RotationTypeIsPureCAV", BOOL, "rotation_type_is_pure_cav", False),
        ),
    )


def _engine() -> tuple[Member, ...]:
    """Return the rows of IWriteEngine2EventArgs, which the writers' events have."""
    return (
        get("StartLba", 0x100, LONG, "start_lba"),
        get("SectorCount", 0x101, LONG, "sector_count"),
        get("LastReadLba", 0x102, LONG, "last_read_lba"),
        get("LastWrittenLba", 0x103, LONG, "last_written_lba"),
        get("TotalSystemBuffer", 0x106, LONG, "total_system_buffer"),
        get("UsedSystemBuffer", 0x107, LONG, "used_system_buffer"),
        get("FreeSystemBuffer", 0x108, LONG, "free_system_buffer"),
    )


def _time() -> tuple[Member, ...]:
    return (
        get("CurrentAction", 0x301, LONG, "current_action"),
        get("ElapsedTime", 0x302, LONG, "elapsed_time"),
        get("RemainingTime", 0x303, LONG, "remaining_time"),
    )


INTERFACES: Final = (
    Interface(
        name="IDiscMaster2",
        iid="27354130-7F64-5B0F-8F00-5D77AFBE261E",
        members=(
            items(BSTR),
            indexed("Item", 0, BSTR, "item", argument("index", LONG, "index")),
            get("Count", 1, LONG, "count"),
            get("IsSupportedEnvironment", 2, BOOL, "is_supported_environment"),
        ),
        default="Item",
    ),
    Interface(
        name="IDiscRecorder2",
        iid="27354133-7F64-5B0F-8F00-5D77AFBE261E",
        also=("IDiscRecorder2Ex",),
        members=(
            get("ActiveDiscRecorder", 0, BSTR, "active_disc_recorder"),
            method("EjectMedia", 0x100, "eject_media"),
            method("CloseTray", 0x101, "close_tray"),
            method(
                "AcquireExclusiveAccess",
                0x102,
                "acquire_exclusive_access",
                argument("force", BOOL, "force"),
                argument("clientName", BSTR, "client_name"),
            ),
            method("ReleaseExclusiveAccess", 0x103, "release_exclusive_access"),
            method("DisableMcn", 0x104, "disable_mcn"),
            method("EnableMcn", 0x105, "enable_mcn"),
            method(
                "InitializeDiscRecorder",
                0x106,
                "initialize_disc_recorder",
                argument("recorderUniqueId", BSTR, "unique_id"),
            ),
            get("VendorId", 0x201, BSTR, "vendor_id"),
            get("ProductId", 0x202, BSTR, "product_id"),
            get("ProductRevision", 0x203, BSTR, "product_revision"),
            get("VolumeName", 0x204, BSTR, "volume_name"),
            get("VolumePathNames", 0x205, TEXTS, "volume_path_names"),
            get("DeviceCanLoadMedia", 0x206, BOOL, "device_can_load_media"),
            get("LegacyDeviceNumber", 0x207, LONG, "legacy_device_number"),
            get("SupportedFeaturePages", 0x208, LONGS, "supported_feature_pages"),
            get("CurrentFeaturePages", 0x209, LONGS, "current_feature_pages"),
            get("SupportedProfiles", 0x20A, LONGS, "supported_profiles"),
            get("CurrentProfiles", 0x20B, LONGS, "current_profiles"),
            get("SupportedModePages", 0x20C, LONGS, "supported_mode_pages"),
            get("ExclusiveAccessOwner", 0x20D, BSTR, "exclusive_access_owner"),
        ),
        default="ActiveDiscRecorder",
    ),
    Interface(
        name="IWriteSpeedDescriptor",
        iid="27354144-7F64-5B0F-8F00-5D77AFBE261E",
        members=(
            get("MediaType", 0x101, LONG, "media_type"),
            get("RotationTypeIsPureCAV", 0x102, BOOL, "rotation_type_is_pure_cav"),
            get("WriteSpeed", 0x103, LONG, "write_speed"),
        ),
    ),
    Interface(
        name="IDiscFormat2",
        iid="27354152-8F64-5B0F-8F00-5D77AFBE261E",
        members=_of_every_format(),
    ),
    Interface(
        name="IWriteEngine2EventArgs",
        iid="27354136-7F64-5B0F-8F00-5D77AFBE261E",
        members=_engine(),
    ),
    Interface(
        name="IDiscFormat2RawCD",
        iid="27354155-8F64-5B0F-8F00-5D77AFBE261E",
        also=("IDiscFormat2",),
        members=(
            *_of_every_format(),
            get_put("Recorder", 0x100, _RECORDER, "recorder"),
            get_put("BufferUnderrunFreeDisabled", 0x102, BOOL, "buffer_underrun_free_disabled"),
            get("StartOfNextSession", 0x103, LONG, "start_of_next_session"),
            get("LastPossibleStartOfLeadout", 0x104, LONG, "last_possible_start_of_leadout"),
            get("CurrentPhysicalMediaType", 0x105, LONG, "current_physical_media_type"),
            get("SupportedSectorTypes", 0x108, LONGS, "supported_sector_types"),
            get_put("RequestedSectorType", 0x109, LONG, "requested_sector_type"),
            get_put("ClientName", 0x10A, BSTR, "client_name"),
            method("PrepareMedia", 0x200, "prepare_media"),
            method("WriteMedia", 0x201, "write_media", argument("data", STREAM, "data")),
            method(
                "WriteMedia2",
                0x202,
                "write_media2",
                argument("data", STREAM, "data"),
                argument("streamLeadInSectors", LONG, "stream_lead_in_sectors"),
            ),
            method("CancelWrite", 0x203, "cancel_write"),
            method("ReleaseMedia", 0x204, "release_media"),
            *_speeds(0x10B, 0x205),
        ),
    ),
    Interface(
        name="IDiscFormat2RawCDEventArgs",
        iid="27354143-7F64-5B0F-8F00-5D77AFBE261E",
        also=("IWriteEngine2EventArgs",),
        members=(*_engine(), *_time()),
    ),
    Interface(
        name="IDiscFormat2TrackAtOnce",
        iid="27354154-8F64-5B0F-8F00-5D77AFBE261E",
        also=("IDiscFormat2", "IBurnVerification"),
        members=(
            *_of_every_format(),
            get_put("Recorder", 0x100, _RECORDER, "recorder"),
            get_put("BufferUnderrunFreeDisabled", 0x102, BOOL, "buffer_underrun_free_disabled"),
            get("NumberOfExistingTracks", 0x103, LONG, "number_of_existing_tracks"),
            get("TotalSectorsOnMedia", 0x104, LONG, "total_sectors_on_media"),
            get("FreeSectorsOnMedia", 0x105, LONG, "free_sectors_on_media"),
            get("UsedSectorsOnMedia", 0x106, LONG, "used_sectors_on_media"),
            get_put("DoNotFinalizeMedia", 0x107, BOOL, "do_not_finalize_media"),
            get("ExpectedTableOfContents", 0x10A, LONGS, "expected_table_of_contents"),
            get("CurrentPhysicalMediaType", 0x10B, LONG, "current_physical_media_type"),
            get_put("ClientName", 0x10E, BSTR, "client_name"),
            method("PrepareMedia", 0x200, "prepare_media"),
            method("AddAudioTrack", 0x201, "add_audio_track", argument("data", STREAM, "data")),
            method("CancelAddTrack", 0x202, "cancel_add_track"),
            method("ReleaseMedia", 0x203, "release_media"),
            *_speeds(0x10F, 0x204),
        ),
    ),
    Interface(
        name="IDiscFormat2TrackAtOnceEventArgs",
        iid="27354140-7F64-5B0F-8F00-5D77AFBE261E",
        also=("IWriteEngine2EventArgs",),
        members=(
            *_engine(),
            get("CurrentTrackNumber", 0x300, LONG, "current_track_number"),
            *_time(),
        ),
    ),
    Interface(
        name="IBurnVerification",
        iid="D2FFD834-958B-426D-8470-2A13879C6A91",
        also=("IDiscFormat2TrackAtOnce",),
        members=(get_put("BurnVerificationLevel", None, LONG, "burn_verification_level"),),
    ),
    Interface(
        name="IDiscFormat2Erase",
        iid="27354156-8F64-5B0F-8F00-5D77AFBE261E",
        also=("IDiscFormat2",),
        members=(
            *_of_every_format(),
            get_put("Recorder", 0x100, _RECORDER, "recorder"),
            get_put("FullErase", 0x101, BOOL, "full_erase"),
            get("CurrentPhysicalMediaType", 0x102, LONG, "current_physical_media_type"),
            get_put("ClientName", 0x103, BSTR, "client_name"),
            method("EraseMedia", 0x201, "erase_media"),
        ),
    ),
    Interface(
        name="DDiscMaster2Events",
        iid="27354131-7F64-5B0F-8F00-5D77AFBE261E",
        members=(
            method(
                "NotifyDeviceAdded",
                0x100,
                "notify_device_added",
                argument("object", an_object("IDiscMaster2"), "master"),
                argument("uniqueId", BSTR, "unique_id"),
            ),
            method(
                "NotifyDeviceRemoved",
                0x101,
                "notify_device_removed",
                argument("object", an_object("IDiscMaster2"), "master"),
                argument("uniqueId", BSTR, "unique_id"),
            ),
        ),
    ),
    _update(
        "DDiscFormat2RawCDEvents",
        "27354142-7F64-5B0F-8F00-5D77AFBE261E",
        "IDiscFormat2RawCD",
        argument("progress", an_object("IDiscFormat2RawCDEventArgs"), "progress"),
    ),
    _update(
        "DDiscFormat2TrackAtOnceEvents",
        "2735413F-7F64-5B0F-8F00-5D77AFBE261E",
        "IDiscFormat2TrackAtOnce",
        argument("progress", an_object("IDiscFormat2TrackAtOnceEventArgs"), "progress"),
    ),
    _update(
        "DDiscFormat2EraseEvents",
        "2735413A-7F64-5B0F-8F00-5D77AFBE261E",
        "IDiscFormat2Erase",
        argument("elapsedSeconds", LONG, "elapsed_seconds"),
        argument("estimatedTotalSeconds", LONG, "estimated_total_seconds"),
    ),
)

CLASSES: Final = (
    CoClass(
        name="MsftDiscMaster2",
        progid="IMAPI2.MsftDiscMaster2",
        clsid="2735412E-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IDiscMaster2",
        maker=f"{_HOME}:DiscMaster2",
        events="DDiscMaster2Events",
    ),
    CoClass(
        name="MsftDiscRecorder2",
        progid="IMAPI2.MsftDiscRecorder2",
        clsid="2735412D-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IDiscRecorder2",
        maker=f"{_HOME}:DiscRecorder2",
    ),
    CoClass(
        name="MsftDiscFormat2RawCD",
        progid="IMAPI2.MsftDiscFormat2RawCD",
        clsid="27354128-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IDiscFormat2RawCD",
        maker=f"{_HOME}:DiscFormat2RawCD",
        events="DDiscFormat2RawCDEvents",
    ),
    CoClass(
        name="MsftDiscFormat2TrackAtOnce",
        progid="IMAPI2.MsftDiscFormat2TrackAtOnce",
        clsid="27354129-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IDiscFormat2TrackAtOnce",
        maker=f"{_HOME}:DiscFormat2TrackAtOnce",
        events="DDiscFormat2TrackAtOnceEvents",
    ),
    CoClass(
        name="MsftDiscFormat2Erase",
        progid="IMAPI2.MsftDiscFormat2Erase",
        clsid="2735412B-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IDiscFormat2Erase",
        maker=f"{_HOME}:DiscFormat2Erase",
        events="DDiscFormat2EraseEvents",
    ),
)
