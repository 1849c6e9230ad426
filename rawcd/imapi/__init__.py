"""IMAPI in its own shape, for scripts that were written for Windows.

A script that uses `win32com.client` needs one changed line, its import:

```python
import rawcd.imapi as win32              # import win32com.client as win32
import rawcd.imapi as win32com           # import win32com.client
from rawcd.imapi import Dispatch         # from win32com.client import Dispatch
from rawcd.imapi.gencache import EnsureDispatch  # from win32com.client.gencache import ...
from rawcd.imapi import pythoncom, win32com   # import pythoncom, win32com.client

master = win32com.client.Dispatch("IMAPI2.MsftDiscMaster2")
recorder = win32com.client.Dispatch("IMAPI2.MsftDiscRecorder2")
recorder.InitializeDiscRecorder(master.Item(0))
```

The recorders are those of `rawcd drives`; the environment variable `RAWCD_RECORDERS` names further
ones, virtual ones too. What the objects do is `rawcd.creator` and `rawcd.mastering`; here are only
their names in IMAPI's own spelling, one table of members (`rawcd.imapi.library`), and the rules by
which COM calls them:

* Members are found in any case. An unknown one, and putting one that can only be read, is an
  AttributeError, as `win32com.client` has it.
* A refusal is a `com_error` with IMAPI's code in `hresult`, signed, and in `excepinfo[5]`. A code
  equals the signed number, the unsigned one, `constants.E_...` and `rawcd.HResult.E_...` alike.
* Where IMAPI has an IStream, a binary file object will do, an `ADODB.Stream`, an object with Read
  and Seek, or the stream that CreateResultImage gave. Paths and bytes will not, as there.
* Events go to `OnUpdate` (or `Update`) of what `WithEvents` or `DispatchWithEvents` was given.
* Success codes beside S_OK, which Automation loses, are kept: `last_hresult()`.
* The creator is `RawCDImageCreator(strict=True)`: IMAPI's own limits.

What IMAPI documents and what is beyond reach here can be created and says E_NOTIMPL at every call:
`IMAPI2.MsftDiscFormat2Data`, `IMAPI2FS.MsftFileSystemImage`, `IMAPI2.MsftWriteEngine2`,
`IMAPI2.MsftStreamPrng001`; so do the calls of IDiscRecorder2Ex that are about DVDs or Windows'
drivers, and text in an `ADODB.Stream`. `rawcd.imapi.library.beyond_reach()` lists the members.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, Final

from rawcd.imapi import dynamic, gencache
from rawcd.imapi.automation import Variant as VARIANT
from rawcd.imapi.constants import constants
from rawcd.imapi.events import dispatch_with_events as DispatchWithEvents
from rawcd.imapi.events import events_class as getevents
from rawcd.imapi.events import with_events as WithEvents
from rawcd.imapi.failures import ComError, com_error, last_hresult
from rawcd.imapi.objects import ComObject
from rawcd.imapi.objects import dispatch as Dispatch
from rawcd.imapi.pywin32 import pythoncom, pywintypes, server

__all__ = [
    "VARIANT",
    "CastTo",
    "ComError",
    "ComObject",
    "Dispatch",
    "DispatchEx",
    "DispatchWithEvents",
    "WithEvents",
    "client",
    "com_error",
    "constants",
    "dynamic",
    "gencache",
    "getevents",
    "last_hresult",
    "pythoncom",
    "pywintypes",
    "server",
    "win32com",
]


DispatchEx = Dispatch


def CastTo(ob: object, target: str) -> Any:  # win32com's name
    """Return an object with another of its interfaces, by the interface's name.

    Raises:
        com_error: it has no such interface (E_NOINTERFACE).
    """
    return Dispatch(ob).QueryInterface(target)


client: Final = sys.modules[__name__]
win32com: Final = SimpleNamespace(client=client, server=server)
