"""File systems on a disc: ISO 9660 with Joliet, Rock Ridge, UDF and El Torito.

A *tree* is what shall be on a volume, measured and not read; a *volume* is a tree laid out, whose
blocks are made when asked for; a *stored volume* is one that lies on a disc already. Later
sessions are volumes over the tree of an earlier one.

```python
tree = FileTree.from_folder("photos")
volume = make_volume(tree, options=VolumeOptions(volume_id="PHOTOS", rock_ridge=True))
volume.sector_count  # how long it will be
volume.at(11_702).source  # the blocks, for the address where the session begins
```

pycdlib does the layout and is imported nowhere else; it is loaded when a volume is made.
"""

from __future__ import annotations

from rawcd.filesystem.discs import DiscBlocks
from rawcd.filesystem.stored import StoredVolume
from rawcd.filesystem.tree import (
    Entry,
    FileTree,
    Folder,
    HostFile,
    Link,
    MemoryFile,
    NewFile,
    PieceFile,
    StoredFile,
    read_new_file,
)
from rawcd.filesystem.values import BLOCK_BYTES, BootImage, VolumeOptions
from rawcd.filesystem.volume import Volume, VolumeSource, make_volume

__all__ = [
    "BLOCK_BYTES",
    "BootImage",
    "DiscBlocks",
    "Entry",
    "FileTree",
    "Folder",
    "HostFile",
    "Link",
    "MemoryFile",
    "NewFile",
    "PieceFile",
    "StoredFile",
    "StoredVolume",
    "Volume",
    "VolumeOptions",
    "VolumeSource",
    "make_volume",
    "read_new_file",
]
