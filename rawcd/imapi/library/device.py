"""The table: raw access to a drive (imapi2.h, IDiscRecorder2Ex).

The interface is no IDispatch, so that scripts come to it by `CastTo(recorder, "IDiscRecorder2Ex")`;
what C hands out by pointers comes as the result. A command gives its sense bytes and its data:
`sense, data = drive.SendCommandGetDataFromDevice(cdb, 36)`; `last_hresult()` is
S_IMAPI_COMMAND_HAS_SENSE_DATA where there are sense bytes.
"""

from __future__ import annotations

from typing import Final

from rawcd.imapi.library.values import (
    BOOL,
    BYTES,
    LONG,
    LONGS,
    CoClass,
    Interface,
    Member,
    argument,
    method,
    reply,
)

_DVD: Final = "discs here are CDs"
_WINDOWS: Final = "it is a structure of Windows' own drivers"
_CDB: Final = argument("Cdb", BYTES, "cdb")
_SECONDS: Final = argument("Timeout", LONG, "timeout", 10)
_CURRENT: Final = 0


def _absent(name: str, why: str) -> Member:
    return method(name, None, None, why=why)


INTERFACES: Final = (
    Interface(
        name="IDiscRecorder2Ex",
        iid="27354132-7F64-5B0F-8F00-5D77AFBE261E",
        also=("IDiscRecorder2",),
        members=(
            method(
                "SendCommandNoData", None, "send_command_no_data", _CDB, _SECONDS, gives=reply()
            ),
            method(
                "SendCommandSendDataToDevice",
                None,
                "send_command_send_data_to_device",
                _CDB,
                argument("Buffer", BYTES, "data"),
                _SECONDS,
                gives=reply(),
            ),
            method(
                "SendCommandGetDataFromDevice",
                None,
                "send_command_get_data_from_device",
                _CDB,
                argument("BufferSize", LONG, "size"),
                _SECONDS,
                gives=reply(),
            ),
            _absent("ReadDvdStructure", _DVD),
            _absent("SendDvdStructure", _DVD),
            _absent("GetAdapterDescriptor", _WINDOWS),
            _absent("GetDeviceDescriptor", _WINDOWS),
            method("GetDiscInformation", None, "get_disc_information", gives=BYTES),
            method(
                "GetTrackInformation",
                None,
                "get_track_information",
                argument("address", LONG, "address"),
                argument("addressType", LONG, "address_type"),
                gives=BYTES,
            ),
            method(
                "GetFeaturePage",
                None,
                "get_feature_page",
                argument("requestedFeature", LONG, "feature"),
                argument("currentFeatureOnly", BOOL, "current_feature_only", False),
                gives=BYTES,
            ),
            method(
                "GetModePage",
                None,
                "get_mode_page",
                argument("requestedModePage", LONG, "mode_page"),
                argument("requestType", LONG, "request_type", _CURRENT),
                gives=BYTES,
            ),
            method(
                "SetModePage",
                None,
                "set_mode_page",
                argument("requestType", LONG, "request_type"),
                argument("data", BYTES, "data"),
            ),
            method(
                "GetSupportedFeaturePages",
                None,
                "get_supported_feature_pages",
                argument("currentFeatureOnly", BOOL, "current_feature_only"),
                gives=LONGS,
            ),
            method(
                "GetSupportedProfiles",
                None,
                "get_supported_profiles",
                argument("currentOnly", BOOL, "current_only"),
                gives=LONGS,
            ),
            method(
                "GetSupportedModePages",
                None,
                "get_supported_mode_pages",
                argument("requestType", LONG, "request_type"),
                gives=LONGS,
            ),
            method("GetByteAlignmentMask", None, "get_byte_alignment_mask", gives=LONG),
            method(
                "GetMaximumNonPageAlignedTransferSize",
                None,
                "get_maximum_non_page_aligned_transfer_size",
                gives=LONG,
            ),
            method(
                "GetMaximumPageAlignedTransferSize",
                None,
                "get_maximum_page_aligned_transfer_size",
                gives=LONG,
            ),
        ),
    ),
)

CLASSES: Final[tuple[CoClass, ...]] = ()
