"""The table: streams (objidl.h, imapi2.h) and ADODB.Stream, by which scripts come to them."""

from __future__ import annotations

from typing import Final

from rawcd.imapi.library.values import (
    ANY,
    BOOL,
    BSTR,
    BYTES,
    LONG,
    LONGS,
    NUMBER,
    STREAM,
    STREAMS,
    CoClass,
    Interface,
    Member,
    argument,
    get,
    get_put,
    method,
)

_HOME: Final = "rawcd.imapi.streams"
_NO_GENERATOR: Final = (
    "its numbers are documented as a linear congruential generator, but not which of their bits "
    "become the stream's bytes"
)
_NO_TEXT: Final = "text in streams is not supported; set Type to adTypeBinary (1)"
_SEEK: Final = argument("dwOrigin", LONG, "whence", 0)
_READ_ALL: Final = -1
_UNSPECIFIED: Final = -1
_CREATE_NOT_EXIST: Final = 1


def _is_stream() -> tuple[Member, ...]:
    """Return the rows of IStream, in pywin32's shape: what C hands out comes as the result."""
    return (
        method("Read", None, "read", argument("cb", NUMBER, "count"), gives=BYTES),
        method("Write", None, "write", argument("data", BYTES, "data"), gives=NUMBER),
        method(
            "Seek",
            None,
            "seek",
            argument("dlibMove", NUMBER, "offset"),
            _SEEK,
            gives=NUMBER,
        ),
        method("SetSize", None, "set_size", argument("libNewSize", NUMBER, "size")),
        method(
            "CopyTo",
            None,
            "copy_to",
            argument("pstm", STREAM, "target"),
            argument("cb", NUMBER, "count"),
            gives=NUMBER,
        ),
        method("Commit", None, "commit", argument("grfCommitFlags", LONG, "flags", 0)),
        method("Revert", None, "revert"),
        method(
            "LockRegion",
            None,
            "lock_region",
            argument("libOffset", NUMBER, "offset"),
            argument("cb", NUMBER, "count"),
            argument("dwLockType", LONG, "kind"),
        ),
        method(
            "UnlockRegion",
            None,
            "lock_region",
            argument("libOffset", NUMBER, "offset"),
            argument("cb", NUMBER, "count"),
            argument("dwLockType", LONG, "kind"),
        ),
        method("Stat", None, "stat", argument("grfStatFlag", LONG, "flag", 0), gives=ANY),
        method("Clone", None, "clone", gives=STREAM),
    )


INTERFACES: Final = (
    Interface(
        name="ISequentialStream",
        iid="0C733A30-2A1C-11CE-ADE5-00AA0044773D",
        members=_is_stream()[:2],
    ),
    Interface(
        name="IStream",
        iid="0000000C-0000-0000-C000-000000000046",
        also=("ISequentialStream",),
        members=_is_stream(),
    ),
    Interface(
        name="IStreamConcatenate",
        iid="27354146-7F64-5B0F-8F00-5D77AFBE261E",
        also=("ISequentialStream", "IStream"),
        members=(
            *_is_stream(),
            method(
                "Initialize",
                None,
                "initialize",
                argument("stream1", STREAM, "first"),
                argument("stream2", STREAM, "second"),
            ),
            method(
                "Initialize2",
                None,
                "initialize2",
                argument("streams", STREAMS, "streams"),
                argument("streamCount", LONG, "count", None),
            ),
            method("Append", None, "append", argument("stream", STREAM, "stream")),
            method(
                "Append2",
                None,
                "append2",
                argument("streams", STREAMS, "streams"),
                argument("streamCount", LONG, "count", None),
            ),
        ),
    ),
    Interface(
        name="IStreamInterleave",
        iid="27354147-7F64-5B0F-8F00-5D77AFBE261E",
        also=("ISequentialStream", "IStream"),
        members=(
            *_is_stream(),
            method(
                "Initialize",
                None,
                "initialize",
                argument("streams", STREAMS, "streams"),
                argument("interleaveSizes", LONGS, "sizes"),
                argument("streamCount", LONG, "count", None),
            ),
        ),
    ),
    Interface(
        name="IStreamPseudoRandomBased",
        iid="27354145-7F64-5B0F-8F00-5D77AFBE261E",
        also=("ISequentialStream", "IStream"),
        members=(
            *(
                Member(
                    name=each.name,
                    dispid=None,
                    way=each.way,
                    ours=None,
                    arguments=each.arguments,
                    shape=each.shape,
                    why=_NO_GENERATOR,
                )
                for each in _is_stream()
            ),
            get_put("Seed", None, LONG, None, why=_NO_GENERATOR),
            get_put("ExtendedSeed", None, LONGS, None, why=_NO_GENERATOR),
        ),
    ),
    Interface(
        name="_Stream",
        iid="00001565-0000-0010-8000-00AA006D2EA4",
        also=("ISequentialStream", "IStream"),
        members=(
            get("Size", None, NUMBER, "size"),
            get("EOS", None, BOOL, "eos"),
            get_put("Position", None, NUMBER, "position"),
            get_put("Type", None, LONG, "type"),
            get_put("LineSeparator", None, LONG, None, why=_NO_TEXT),
            get("State", None, LONG, "state"),
            get_put("Mode", None, LONG, "mode"),
            get_put("Charset", None, BSTR, None, why=_NO_TEXT),
            method(
                "Read", None, "read", argument("NumBytes", NUMBER, "count", _READ_ALL), gives=BYTES
            ),
            method(
                "Open",
                None,
                "open",
                argument("Source", ANY, "source", None),
                argument("Mode", LONG, "mode", 0),
                argument("Options", LONG, "options", _UNSPECIFIED),
                argument("UserName", BSTR, "user", ""),
                argument("Password", BSTR, "password", ""),
            ),
            method("Close", None, "close"),
            method("SkipLine", None, None, why=_NO_TEXT),
            method("Write", None, "write", argument("Buffer", BYTES, "data")),
            method("SetEOS", None, "set_eos"),
            method(
                "CopyTo",
                None,
                "copy_to",
                argument("DestStream", STREAM, "target"),
                argument("CharNumber", NUMBER, "count", _READ_ALL),
            ),
            method("Flush", None, "flush"),
            method(
                "SaveToFile",
                None,
                "save_to_file",
                argument("FileName", BSTR, "name"),
                argument("Options", LONG, "options", _CREATE_NOT_EXIST),
            ),
            method("LoadFromFile", None, "load_from_file", argument("FileName", BSTR, "name")),
            method("ReadText", None, None, why=_NO_TEXT),
            method("WriteText", None, None, why=_NO_TEXT),
            method("Cancel", None, "cancel"),
        ),
    ),
)

CLASSES: Final = (
    CoClass(
        name="MsftStreamZero",
        progid="IMAPI2.MsftStreamZero",
        clsid="27354127-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IStream",
        maker=f"{_HOME}:ZeroStream",
    ),
    CoClass(
        name="MsftStreamPrng001",
        progid="IMAPI2.MsftStreamPrng001",
        clsid="27354126-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IStreamPseudoRandomBased",
    ),
    CoClass(
        name="MsftStreamConcatenate",
        progid="IMAPI2.MsftStreamConcatenate",
        clsid="27354125-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IStreamConcatenate",
        maker=f"{_HOME}:ConcatenatedStream",
    ),
    CoClass(
        name="MsftStreamInterleave",
        progid="IMAPI2.MsftStreamInterleave",
        clsid="27354124-7F64-5B0F-8F00-5D77AFBE261E",
        interface="IStreamInterleave",
        maker=f"{_HOME}:InterleavedStream",
    ),
    CoClass(
        name="Stream",
        progid="ADODB.Stream",
        clsid="00000566-0000-0010-8000-00AA006D2EA4",
        interface="_Stream",
        maker="rawcd.imapi.adodb:AdoStream",
    ),
)
