"""Mastering jobs as the Image Mastering API has them.

IMAPI version 1: one object to begin with, a hidden stash in which the image grows, and a burn.

```python
from rawcd.mastering import DiscMaster, DiscMasterFormat

with DiscMaster(["virtual:disc.raw"]) as master:  # open() and close()
    audio = master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)
    [recorder] = master.enum_disc_recorders()
    master.set_active_disc_recorder(recorder)
    audio.create_audio_track(300)
    audio.add_audio_track_blocks(bytes(300 * 2352))
    audio.close_audio_track()
    master.record_disc(simulate=False, eject_after_burn=False)
```

Every refusal is a `rawcd.MasteringError`, whose `hresult` is IMAPI's code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.late import late_names

if TYPE_CHECKING:
    from rawcd.mastering.discmaster import DiscMaster
    from rawcd.mastering.enumerators import Enumerator
    from rawcd.mastering.events import DiscMasterProgressEvents
    from rawcd.mastering.formats2 import (
        BurnVerificationLevel,
        CommandResult,
        DeviceEvents,
        DiscFormat2Erase,
        DiscFormat2RawCD,
        DiscFormat2TrackAtOnce,
        DiscMaster2,
        DiscRecorder2,
        EraseProgress,
        MediaPhysicalType,
        ModePageRequestType,
        RawCDProgress,
        RawCDWriteAction,
        ReadTrackAddressType,
        TrackAtOnceProgress,
        TrackAtOnceWriteAction,
        WriterState,
        WriteSpeedDescriptor,
    )
    from rawcd.mastering.joliet import JolietDiscMaster
    from rawcd.mastering.recorder import (
        DiscRecorder,
        MediaFlags,
        MediaInfo,
        MediaType,
        RecorderState,
        RecorderType,
    )
    from rawcd.mastering.redbook import RedbookDiscMaster
    from rawcd.mastering.stash import Stash, StashLeftover
    from rawcd.mastering.states import DiscMasterFormat

__all__ = [
    "BurnVerificationLevel",
    "CommandResult",
    "DeviceEvents",
    "DiscFormat2Erase",
    "DiscFormat2RawCD",
    "DiscFormat2TrackAtOnce",
    "DiscMaster",
    "DiscMaster2",
    "DiscMasterFormat",
    "DiscMasterProgressEvents",
    "DiscRecorder",
    "DiscRecorder2",
    "Enumerator",
    "EraseProgress",
    "JolietDiscMaster",
    "MediaFlags",
    "MediaInfo",
    "MediaPhysicalType",
    "MediaType",
    "ModePageRequestType",
    "RawCDProgress",
    "RawCDWriteAction",
    "ReadTrackAddressType",
    "RecorderState",
    "RecorderType",
    "RedbookDiscMaster",
    "Stash",
    "StashLeftover",
    "TrackAtOnceProgress",
    "TrackAtOnceWriteAction",
    "WriteSpeedDescriptor",
    "WriterState",
]

__getattr__, __dir__ = late_names(
    __name__,
    {
        "rawcd.mastering.discmaster": ("DiscMaster",),
        "rawcd.mastering.enumerators": ("Enumerator",),
        "rawcd.mastering.events": ("DiscMasterProgressEvents",),
        "rawcd.mastering.formats2": (
            "BurnVerificationLevel",
            "CommandResult",
            "DeviceEvents",
            "DiscFormat2Erase",
            "DiscFormat2RawCD",
            "DiscFormat2TrackAtOnce",
            "DiscMaster2",
            "DiscRecorder2",
            "EraseProgress",
            "MediaPhysicalType",
            "ModePageRequestType",
            "RawCDProgress",
            "RawCDWriteAction",
            "ReadTrackAddressType",
            "TrackAtOnceProgress",
            "TrackAtOnceWriteAction",
            "WriteSpeedDescriptor",
            "WriterState",
        ),
        "rawcd.mastering.joliet": ("JolietDiscMaster",),
        "rawcd.mastering.recorder": (
            "DiscRecorder",
            "MediaFlags",
            "MediaInfo",
            "MediaType",
            "RecorderState",
            "RecorderType",
        ),
        "rawcd.mastering.redbook": ("RedbookDiscMaster",),
        "rawcd.mastering.stash": ("Stash", "StashLeftover"),
        "rawcd.mastering.states": ("DiscMasterFormat",),
    },
)
