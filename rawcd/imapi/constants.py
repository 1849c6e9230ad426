"""Every enumeration of IMAPI by name and value, its result codes, and ADO's few for streams.

Values are those of imapi.h, imapi2.h and imapi2fs.h; a name that stands alone follows on from the
one before it. Result codes are what `com_error.hresult` is: signed, and equal to both spellings.
"""

from __future__ import annotations

from typing import Final, NoReturn

from rawcd.hresults import HResult, ResultCode

# Enumeration: (prefix of its values' names, "NAME=value" or "NAME", which counts on).
ENUMERATIONS: Final[dict[str, tuple[str, str]]] = {
    "IMAPI_CD_SECTOR_TYPE": (
        "IMAPI_CD_SECTOR_",
        (
            "AUDIO=0 MODE_ZERO MODE1 MODE2FORM0 MODE2FORM1 MODE2FORM2 MODE1RAW MODE2FORM0RAW "
            "MODE2FORM1RAW MODE2FORM2RAW"
        ),
    ),
    "IMAPI_FORMAT2_RAW_CD_DATA_SECTOR_TYPE": (
        "IMAPI_FORMAT2_RAW_CD_SUBCODE_",
        "PQ_ONLY=1 IS_COOKED IS_RAW",
    ),
    "IMAPI_CD_TRACK_DIGITAL_COPY_SETTING": (
        "IMAPI_CD_TRACK_DIGITAL_COPY_",
        "PERMITTED=0 PROHIBITED SCMS",
    ),
    "IMAPI_FORMAT2_RAW_CD_WRITE_ACTION": (
        "IMAPI_FORMAT2_RAW_CD_WRITE_ACTION_",
        "UNKNOWN=0 PREPARING WRITING FINISHING",
    ),
    "IMAPI_FORMAT2_TAO_WRITE_ACTION": (
        "IMAPI_FORMAT2_TAO_WRITE_ACTION_",
        "UNKNOWN=0 PREPARING WRITING FINISHING VERIFYING",
    ),
    "IMAPI_FORMAT2_DATA_WRITE_ACTION": (
        "IMAPI_FORMAT2_DATA_WRITE_ACTION_",
        (
            "VALIDATING_MEDIA=0 FORMATTING_MEDIA INITIALIZING_HARDWARE CALIBRATING_POWER "
            "WRITING_DATA FINALIZATION COMPLETED VERIFYING"
        ),
    ),
    "IMAPI_FORMAT2_DATA_MEDIA_STATE": (
        "IMAPI_FORMAT2_DATA_MEDIA_STATE_",
        (
            "UNKNOWN=0 OVERWRITE_ONLY=1 RANDOMLY_WRITABLE=1 BLANK=2 APPENDABLE=4 "
            "FINAL_SESSION=8 INFORMATIONAL_MASK=0x000F DAMAGED=0x0400 ERASE_REQUIRED=0x0800 "
            "NON_EMPTY_SESSION=0x1000 WRITE_PROTECTED=0x2000 FINALIZED=0x4000 "
            "UNSUPPORTED_MEDIA=0x8000 UNSUPPORTED_MASK=0xFC00"
        ),
    ),
    "IMAPI_MEDIA_PHYSICAL_TYPE": (
        "IMAPI_MEDIA_TYPE_",
        (
            "UNKNOWN=0 CDROM CDR CDRW DVDROM DVDRAM DVDPLUSR DVDPLUSRW DVDPLUSR_DUALLAYER "
            "DVDDASHR DVDDASHRW DVDDASHR_DUALLAYER DISK DVDPLUSRW_DUALLAYER HDDVDROM HDDVDR "
            "HDDVDRAM BDROM BDR BDRE MAX=19"
        ),
    ),
    "IMAPI_MEDIA_WRITE_PROTECT_STATE": (
        "IMAPI_WRITEPROTECTED_",
        (
            "UNTIL_POWERDOWN=0x1 BY_CARTRIDGE=0x2 BY_MEDIA_SPECIFIC_REASON=0x4 "
            "BY_SOFTWARE_WRITE_PROTECT=0x8 BY_DISC_CONTROL_BLOCK=0x10 READ_ONLY_MEDIA=0x4000"
        ),
    ),
    "IMAPI_READ_TRACK_ADDRESS_TYPE": ("IMAPI_READ_TRACK_ADDRESS_TYPE_", "LBA=0 TRACK SESSION"),
    "IMAPI_MODE_PAGE_REQUEST_TYPE": (
        "IMAPI_MODE_PAGE_REQUEST_TYPE_",
        "CURRENT_VALUES=0 CHANGEABLE_VALUES DEFAULT_VALUES SAVED_VALUES",
    ),
    "IMAPI_MODE_PAGE_TYPE": (
        "IMAPI_MODE_PAGE_TYPE_",
        (
            "READ_WRITE_ERROR_RECOVERY=0x01 MRW=0x03 WRITE_PARAMETERS=0x05 CACHING=0x08 "
            "POWER_CONDITION=0x1A INFORMATIONAL_EXCEPTIONS=0x1C TIMEOUT_AND_PROTECT=0x1D "
            "LEGACY_CAPABILITIES=0x2A"
        ),
    ),
    "IMAPI_BURN_VERIFICATION_LEVEL": ("IMAPI_BURN_VERIFICATION_", "NONE=0 QUICK FULL"),
    "IMAPI_PROFILE_TYPE": (
        "IMAPI_PROFILE_TYPE_",
        (
            "INVALID=0 NON_REMOVABLE_DISK REMOVABLE_DISK MO_ERASABLE MO_WRITE_ONCE AS_MO "
            "CDROM=8 CD_RECORDABLE CD_REWRITABLE DVDROM=0x10 DVD_DASH_RECORDABLE DVD_RAM "
            "DVD_DASH_REWRITABLE DVD_DASH_RW_SEQUENTIAL DVD_DASH_R_DUAL_SEQUENTIAL "
            "DVD_DASH_R_DUAL_LAYER_JUMP DVD_PLUS_RW=0x1A DVD_PLUS_R DDCDROM=0x20 "
            "DDCD_RECORDABLE DDCD_REWRITABLE DVD_PLUS_RW_DUAL=0x2A DVD_PLUS_R_DUAL BD_ROM=0x40 "
            "BD_R_SEQUENTIAL BD_R_RANDOM_RECORDING BD_REWRITABLE HD_DVD_ROM=0x50 "
            "HD_DVD_RECORDABLE HD_DVD_RAM NON_STANDARD=0xFFFF"
        ),
    ),
    "IMAPI_FEATURE_PAGE_TYPE": (
        "IMAPI_FEATURE_PAGE_TYPE_",
        (
            "PROFILE_LIST=0 CORE MORPHING REMOVABLE_MEDIUM WRITE_PROTECT RANDOMLY_READABLE=0x10 "
            "CD_MULTIREAD=0x1D CD_READ DVD_READ RANDOMLY_WRITABLE "
            "INCREMENTAL_STREAMING_WRITABLE SECTOR_ERASABLE FORMATTABLE "
            "HARDWARE_DEFECT_MANAGEMENT WRITE_ONCE RESTRICTED_OVERWRITE CDRW_CAV_WRITE MRW "
            "ENHANCED_DEFECT_REPORTING DVD_PLUS_RW DVD_PLUS_R RIGID_RESTRICTED_OVERWRITE "
            "CD_TRACK_AT_ONCE CD_MASTERING DVD_DASH_WRITE DOUBLE_DENSITY_CD_READ "
            "DOUBLE_DENSITY_CD_R_WRITE DOUBLE_DENSITY_CD_RW_WRITE LAYER_JUMP_RECORDING "
            "CD_RW_MEDIA_WRITE_SUPPORT=0x37 BD_PSEUDO_OVERWRITE DVD_PLUS_R_DUAL_LAYER=0x3B "
            "BD_READ=0x40 BD_WRITE HD_DVD_READ=0x50 HD_DVD_WRITE POWER_MANAGEMENT=0x100 SMART "
            "EMBEDDED_CHANGER CD_ANALOG_PLAY MICROCODE_UPDATE TIMEOUT DVD_CSS "
            "REAL_TIME_STREAMING LOGICAL_UNIT_SERIAL_NUMBER MEDIA_SERIAL_NUMBER "
            "DISC_CONTROL_BLOCKS DVD_CPRM FIRMWARE_INFORMATION AACS VCPS=0x110"
        ),
    ),
    "FsiFileSystems": ("FsiFileSystem", "None=0 ISO9660=1 Joliet=2 UDF=4 Unknown=0x40000000"),
    # Version 1: imapi.h has them as definitions.
    "RECORDER_TYPES": ("RECORDER_", "CDR=1 CDRW"),
    "RECORDER_STATES": ("RECORDER_", "DOING_NOTHING=0 OPENED BURNING"),
    "MEDIA_TYPES": ("MEDIA_", "CDDA_CDROM=1 CD_ROM_XA CD_I CD_EXTRA CD_OTHER SPECIAL"),
    "MEDIA_FLAGS": ("MEDIA_", "BLANK=1 RW=2 WRITABLE=4 FORMAT_UNUSABLE_BY_IMAPI=8"),
    # What imapi2.h has beside enumerations.
    "imapi2.h": (
        "IMAPI",
        "_SECTOR_SIZE=2048 _SECTORS_PER_SECOND_AT_1X_CD=75 2_DEFAULT_COMMAND_TIMEOUT=10",
    ),
    # ADO's, for ADODB.Stream.
    "StreamTypeEnum": ("adType", "Binary=1 Text=2"),
    "ConnectModeEnum": ("adMode", "Unknown=0 Read=1 Write=2 ReadWrite=3"),
    "SaveOptionsEnum": ("adSave", "CreateNotExist=1 CreateOverWrite=2"),
    "StreamReadEnum": ("adRead", "All=-1 Line=-2"),
    "StreamOpenOptionsEnum": ("adOpenStream", "Unspecified=-1"),
    "ObjectStateEnum": ("adState", "Closed=0 Open=1"),
}


def values_of(enumeration: str) -> dict[str, int]:
    """Return an enumeration's values by their full names."""
    prefix, names = ENUMERATIONS[enumeration]
    found: dict[str, int] = {}
    value = -1
    for each in names.split():
        name, _, given = each.partition("=")
        value = int(given, 0) if given else value + 1
        found[prefix + name] = value
    return found


class Constants:
    """All constants as attributes: `constants.IMAPI_CD_SECTOR_AUDIO`."""

    def __init__(self) -> None:
        for enumeration in ENUMERATIONS:
            self.__dict__.update(values_of(enumeration))
        self.__dict__.update({code.name: ResultCode(code) for code in HResult})

    def __getattr__(self, name: str) -> int:
        raise AttributeError(name)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name} cannot be put to {value!r}: constants stay as they are")


constants: Final = Constants()
