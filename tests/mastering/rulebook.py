"""What IMAPI 1 documents, member by member, and the rules by which it is tested.

`DOCUMENTED` is what the reference lists for each member (its sections 4.3 to 4.8, from the older
pages, which name a set of codes for each). Every code of it has a rule that provokes it, or stands
in `BEYOND` with the reason why nothing here can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawcd.hresults import HResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

H = HResult
NOTOPENED, NOACTIVEFORMAT = H.IMAPI_E_NOTOPENED, H.IMAPI_E_NOACTIVEFORMAT
NOACTIVERECORDER, WRONGFORMAT = H.IMAPI_E_NOACTIVERECORDER, H.IMAPI_E_WRONGFORMAT
TRACKOPEN, TRACKNOTOPEN = H.IMAPI_E_TRACKOPEN, H.IMAPI_E_TRACKNOTOPEN
DISCFULL, USERABORT = H.IMAPI_E_DISCFULL, H.IMAPI_E_USERABORT
NOTPRESENT, NOTACCESSIBLE = H.IMAPI_E_DEVICE_NOTPRESENT, H.IMAPI_E_DEVICE_NOTACCESSIBLE
NO_MEDIUM, NOTINITIALIZED = H.IMAPI_E_MEDIUM_NOTPRESENT, H.IMAPI_E_NOTINITIALIZED
NOPROPERTIES, IGNORED = H.IMAPI_E_DEVICE_NOPROPERTIES, H.IMAPI_S_PROPERTIESIGNORED

DOCUMENTED: dict[str, set[HResult]] = {
    "open": {H.IMAPI_E_ALREADYOPEN},
    "enum_disc_master_formats": {NOTOPENED},
    "get_active_disc_master_format": {NOTOPENED, NOACTIVEFORMAT},
    "set_active_disc_master_format": {NOTOPENED, H.E_NOINTERFACE},
    "enum_disc_recorders": {NOTOPENED, NOACTIVEFORMAT},
    "get_active_disc_recorder": {NOTOPENED, NOACTIVEFORMAT, NOACTIVERECORDER, NOTPRESENT},
    "set_active_disc_recorder": {
        NOTPRESENT,
        DISCFULL,
        NO_MEDIUM,
        NOTOPENED,
        NOACTIVEFORMAT,
        H.IMAPI_E_STASHINUSE,
    },
    "clear_format_content": {NOTOPENED},
    "progress_advise": {NOTOPENED},
    "progress_unadvise": {NOTOPENED},
    "record_disc": {
        NOTOPENED,
        H.IMAPI_E_WRONGDISC,
        NOACTIVEFORMAT,
        NOACTIVERECORDER,
        USERABORT,
        H.IMAPI_E_GENERIC,
        NO_MEDIUM,
        NOTACCESSIBLE,
        NOTPRESENT,
        H.IMAPI_E_INITIALIZE_WRITE,
        H.IMAPI_E_INITIALIZE_ENDWRITE,
        H.IMAPI_E_FILESYSTEM,
        H.IMAPI_E_DISCINFO,
        TRACKOPEN,
        H.IMAPI_E_INVALIDIMAGE,
        H.IMAPI_E_LOSS_OF_STREAMING,
        H.IMAPI_E_COMPRESSEDSTASH,
        H.IMAPI_E_ENCRYPTEDSTASH,
        H.IMAPI_E_NOTENOUGHDISKFORSTASH,
        H.IMAPI_E_REMOVABLESTASH,
    },
    "close": set(),
    "get_total_audio_tracks": {NOTOPENED, WRONGFORMAT},
    "get_total_audio_blocks": {NOTOPENED, WRONGFORMAT},
    "get_used_audio_blocks": {NOTOPENED, WRONGFORMAT},
    "get_available_audio_track_blocks": {NOTOPENED, WRONGFORMAT},
    "get_audio_block_size": {NOTOPENED, WRONGFORMAT},
    "create_audio_track": {NOTOPENED, TRACKOPEN, WRONGFORMAT},
    "add_audio_track_blocks": {
        NOTOPENED,
        TRACKNOTOPEN,
        DISCFULL,
        H.E_INVALIDARG,
        USERABORT,
        WRONGFORMAT,
    },
    "close_audio_track": {
        NOTOPENED,
        TRACKNOTOPEN,
        DISCFULL,
        H.IMAPI_E_TRACK_NOT_BIG_ENOUGH,
        WRONGFORMAT,
    },
    "get_total_data_blocks": {NOTOPENED, WRONGFORMAT},
    "get_used_data_blocks": {NOTOPENED, WRONGFORMAT},
    "get_data_block_size": {NOTOPENED, WRONGFORMAT},
    "add_data": {
        NOTOPENED,
        H.IMAPI_E_FILEEXISTS,
        DISCFULL,
        H.IMAPI_E_BADJOLIETNAME,
        USERABORT,
        WRONGFORMAT,
    },
    "get_joliet_properties": {NOTOPENED, NOACTIVEFORMAT, WRONGFORMAT, NOPROPERTIES},
    "set_joliet_properties": {
        NOTOPENED,
        NOACTIVEFORMAT,
        WRONGFORMAT,
        NOPROPERTIES,
        IGNORED,
        H.IMAPI_E_BOOTIMAGE_AND_NONBLANK_DISC,
    },
    "get_recorder_guid": {NOTINITIALIZED, H.IMAPI_S_BUFFER_TO_SMALL},
    "get_recorder_type": {NOTINITIALIZED},
    "get_display_names": {NOTINITIALIZED},
    "get_base_pnp_id": {NOTINITIALIZED},
    "get_path": {NOTINITIALIZED},
    "get_recorder_properties": {NOTINITIALIZED, NOPROPERTIES},
    "set_recorder_properties": {NOTINITIALIZED, NOPROPERTIES, H.E_POINTER, IGNORED},
    "get_recorder_state": {NOTINITIALIZED},
    "open_exclusive": {NOTINITIALIZED, NOTACCESSIBLE, NOTPRESENT},
    "query_media_type": {NOTINITIALIZED, NOTOPENED, NOTPRESENT},
    "query_media_info": {NOTINITIALIZED, NOTOPENED, NO_MEDIUM, NOTPRESENT},
    "eject": {NOTINITIALIZED, NOTOPENED, NOTPRESENT},
    "erase": {
        NOTINITIALIZED,
        NOTOPENED,
        H.IMAPI_E_GENERIC,
        NO_MEDIUM,
        H.IMAPI_E_MEDIUM_INVALIDTYPE,
        NOTPRESENT,
        H.IMAPI_E_DEVICE_INVALIDTYPE,
    },
    "close (recorder)": {NOTINITIALIZED, NOTOPENED, NOTPRESENT},
    "next": {H.S_FALSE},
    "skip": {H.S_FALSE},
    "reset": set(),
    "clone": set(),
}

BEYOND = {
    ("record_disc", H.IMAPI_E_FILESYSTEM): "no file system has to be switched off here",
    ("record_disc", H.IMAPI_E_COMPRESSEDSTASH): "told by set_active_disc_recorder: test_stash",
    ("record_disc", H.IMAPI_E_ENCRYPTEDSTASH): "told by set_active_disc_recorder: test_stash",
    ("record_disc", H.IMAPI_E_REMOVABLESTASH): "told by set_active_disc_recorder: test_stash",
    ("record_disc", H.IMAPI_E_NOTENOUGHDISKFORSTASH): "likewise: before staging, test_stash",
    ("close_audio_track", DISCFULL): "closing adds nothing; the wrapper's guess",
    ("get_joliet_properties", NOPROPERTIES): "there always are some",
    ("set_joliet_properties", NOPROPERTIES): "there always are some",
    ("close (recorder)", NOTPRESENT): "letting go of a drive that is gone succeeds",
}
"""Documented, and out of reach here; the reason."""


@dataclass(frozen=True)
class Rule:
    member: str
    text: str
    code: HResult
    check: Callable[[Path], None]


RULES: list[Rule] = []


def rule(
    member: str, code: HResult, text: str
) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Make a check the test of a rule."""

    def noted(check: Callable[[Path], None]) -> Callable[[Path], None]:
        RULES.append(Rule(member, text, code, check))
        return check

    return noted
