"""The table: interfaces that IMAPI documents and that are beyond reach here.

Their classes can be created, so that a script finds out at the call and not by a wrong name; every
member says E_NOTIMPL and why.
"""

from __future__ import annotations

from typing import Final

from rawcd.imapi.library.values import ANY, CoClass, Interface, Member, Way

_DATA: Final = (
    "data are not written through IMAPI's data writer here; use MSDiscMasterObj with the Joliet "
    "format, or `rawcd burn`"
)
_ENGINE: Final = "it is for authors of new writers, and rawcd's engine has no such seam"
_FILES: Final = (
    "file systems are made by rawcd.filesystem, or by MSDiscMasterObj with the Joliet format"
)


def _members(
    why: str,
    calls: dict[str, int | None],
    reads: dict[str, int | None],
    puts: dict[str, int | None],
) -> tuple[Member, ...]:
    return tuple(
        Member(name=name, dispid=dispid, way=way, ours=None, shape=ANY, why=why)
        for way, rows in ((Way.METHOD, calls), (Way.GET, reads), (Way.GET_PUT, puts))
        for name, dispid in rows.items()
    )


def _unnumbered(names: str) -> dict[str, int | None]:
    return dict.fromkeys(names.split())


_DISC_FORMAT_2: Final = _members(
    _DATA,
    {"IsRecorderSupported": 0x800, "IsCurrentMediaSupported": 0x801},
    {"MediaPhysicallyBlank": 0x700, "MediaHeuristicallyBlank": 0x701, "SupportedMediaTypes": 0x702},
    {},
)

INTERFACES: Final = (
    Interface(
        name="IDiscFormat2Data",
        iid="27354153-9F64-5B0F-8F00-5D77AFBE261E",
        also=("IDiscFormat2",),
        members=(
            *_DISC_FORMAT_2,
            *_members(
                _DATA,
                {"Write": 0x200, "CancelWrite": 0x201, "SetWriteSpeed": 0x202},
                {
                    "CurrentMediaStatus": 0x106,
                    "WriteProtectStatus": 0x107,
                    "TotalSectorsOnMedia": 0x108,
                    "FreeSectorsOnMedia": 0x109,
                    "NextWritableAddress": 0x10A,
                    "StartAddressOfPreviousSession": 0x10B,
                    "LastWrittenAddressOfPreviousSession": 0x10C,
                    "CurrentPhysicalMediaType": 0x10F,
                    "RequestedWriteSpeed": 0x111,
                    "RequestedRotationTypeIsPureCAV": 0x112,
                    "CurrentWriteSpeed": 0x113,
                    "CurrentRotationTypeIsPureCAV": 0x114,
                    "SupportedWriteSpeeds": 0x115,
                    "SupportedWriteSpeedDescriptors": 0x116,
                    "MultisessionInterfaces": 0x118,
                },
                {
                    "Recorder": 0x100,
                    "BufferUnderrunFreeDisabled": 0x101,
                    "PostgapAlreadyInImage": 0x104,
                    "ForceMediaToBeClosed": 0x10D,
                    "DisableConsumerDvdCompatibilityMode": 0x10E,
                    "ClientName": 0x110,
                    "ForceOverwrite": 0x117,
                },
            ),
        ),
    ),
    Interface(
        name="IWriteEngine2",
        iid="27354135-7F64-5B0F-8F00-5D77AFBE261E",
        members=_members(
            _ENGINE,
            {"WriteSection": 0x200, "CancelWrite": 0x201},
            {"WriteInProgress": 0x105},
            {
                "Recorder": 0x100,
                "UseStreamingWrite12": 0x101,
                "StartingSectorsPerSecond": 0x102,
                "EndingSectorsPerSecond": 0x103,
                "BytesPerSector": 0x104,
            },
        ),
    ),
    Interface(
        name="IFileSystemImage",
        iid="2C941FE1-975B-59BE-A960-9A2A262853A5",
        members=_members(
            _FILES,
            _unnumbered(
                "SetMaxMediaBlocksFromDevice ChooseImageDefaults ChooseImageDefaultsForMediaType "
                "CreateResultImage Exists CalculateDiscIdentifier IdentifyFileSystemsOnDisc "
                "GetDefaultFileSystemForImport ImportFileSystem ImportSpecificFileSystem "
                "RollbackToChangePoint LockInChangePoint CreateDirectoryItem CreateFileItem"
            ),
            _unnumbered(
                "Root UsedBlocks ImportedVolumeName FileCount DirectoryCount ChangePoint "
                "FileSystemsSupported UDFRevisionsSupported ISO9660InterchangeLevelsSupported "
                "VolumeNameUDF VolumeNameJoliet VolumeNameISO9660"
            ),
            _unnumbered(
                "SessionStartBlock FreeMediaBlocks VolumeName BootImageOptions WorkingDirectory "
                "StrictFileSystemCompliance UseRestrictedCharacterSet FileSystemsToCreate "
                "UDFRevision ISO9660InterchangeLevel StageFiles MultisessionInterfaces"
            ),
        ),
    ),
)

CLASSES: Final = (
    CoClass(
        name="MsftDiscFormat2Data",
        progid="IMAPI2.MsftDiscFormat2Data",
        clsid="2735412A-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IDiscFormat2Data",
    ),
    CoClass(
        name="MsftWriteEngine2",
        progid="IMAPI2.MsftWriteEngine2",
        clsid="2735412C-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IWriteEngine2",
    ),
    CoClass(
        name="MsftFileSystemImage",
        progid="IMAPI2FS.MsftFileSystemImage",
        clsid="2C941FC5-975B-59BE-A960-9A2A262853A5",
        interface="IFileSystemImage",
    ),
)
