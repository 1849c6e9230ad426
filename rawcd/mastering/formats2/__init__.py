"""IMAPI version 2's writers, in Python's manner: drives, raw discs, tracks at once, erasing.

Names are IMAPI's in snake case; the docstrings have them as IMAPI writes them. Every refusal is a
`MasteringError` whose `.hresult` is IMAPI's code; success codes other than S_OK are what a method
returns. `states` is the table of what each call may do when, `refusals` the one of what a drive's
errors stand for.
"""

from __future__ import annotations

from rawcd.mastering.formats2.discmaster import DeviceEvents, DiscMaster2
from rawcd.mastering.formats2.erase import DiscFormat2Erase
from rawcd.mastering.formats2.raw import DiscFormat2RawCD
from rawcd.mastering.formats2.recorder import CommandResult, DiscRecorder2
from rawcd.mastering.formats2.states import WriterState
from rawcd.mastering.formats2.trackatonce import DiscFormat2TrackAtOnce
from rawcd.mastering.formats2.values import (
    BurnVerificationLevel,
    EraseProgress,
    MediaPhysicalType,
    ModePageRequestType,
    RawCDProgress,
    RawCDWriteAction,
    ReadTrackAddressType,
    TrackAtOnceProgress,
    TrackAtOnceWriteAction,
    WriteSpeedDescriptor,
)

__all__ = [
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
]
