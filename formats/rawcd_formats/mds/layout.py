"""Where everything lies in an MDS, little-endian throughout.

(cdemu/cdemu `libmirage/images/image-mds`, psx-spx/psx-spx.github.io and aaru-dps/Aaru
`Aaru.Images/Alcohol120` agree on these.)
"""

from __future__ import annotations

from typing import Final

import construct

SIGNATURE: Final = b"MEDIA DESCRIPTOR"

HEADER: Final = construct.Struct(
    "signature" / construct.Bytes(16),
    "major" / construct.Byte,
    "minor" / construct.Byte,
    "medium" / construct.Int16ul,  # 0 CD-ROM, 1 CD-R, 2 CD-RW, from 10h on DVDs
    "sessions" / construct.Int16ul,
    "unknown" / construct.Bytes(4),  # 02 00 00 00
    "bca_bytes" / construct.Int16ul,
    construct.Padding(8),
    "bca_at" / construct.Int32ul,
    construct.Padding(24),
    "structures_at" / construct.Int32ul,
    construct.Padding(12),
    "sessions_at" / construct.Int32ul,
    "dpm_at" / construct.Int32ul,
)
SESSION: Final = construct.Struct(
    "first" / construct.Int32sl,  # LBA of its program area, -150 for the first one
    "end" / construct.Int32sl,  # LBA of its lead-out
    "number" / construct.Int16ul,
    "blocks" / construct.Byte,
    "pointer_blocks" / construct.Byte,  # those of them that are no tracks
    "first_track" / construct.Int16ul,
    "last_track" / construct.Int16ul,
    construct.Padding(4),
    "blocks_at" / construct.Int32ul,
)
BLOCK: Final = construct.Struct(
    "mode" / construct.Byte,
    "subcode" / construct.Byte,
    "adr_control" / construct.Byte,  # high nibble ADR
    "track" / construct.Byte,
    "point" / construct.Byte,  # binary
    "running" / construct.Bytes(3),
    "zero" / construct.Byte,
    "value" / construct.Bytes(3),  # PMIN, PSEC, PFRAME, binary
    "extent_at" / construct.Int32ul,
    "sector_bytes" / construct.Int16ul,  # with the subcode
    "unknown" / construct.Bytes(18),  # 02 and zeros
    "lba" / construct.Int32sl,
    "offset" / construct.Int64ul,  # in the MDF
    "files" / construct.Int32ul,
    "names_at" / construct.Int32ul,
    construct.Padding(24),
)
"""An item of a lead-in; those of tracks tell where their sectors are."""
EXTENT: Final = construct.Struct(
    "pregap" / construct.Int32ul,
    "sectors" / construct.Int32ul,
)
NAME: Final = construct.Struct(
    "name_at" / construct.Int32ul,
    "wide" / construct.Int32ul,  # UTF-16
    construct.Padding(8),
)

AUDIO: Final = 1
MODE1: Final = 2
FORM1: Final = 4
FORM2: Final = 5
MODE_BITS: Final = 7
"""What of a mode byte counts; the others are set, and mean nothing known."""
NO_SUBCODE: Final = 0
RAW_SUBCODE: Final = 8
"""96 bytes, P-W interleaved, behind each sector."""
