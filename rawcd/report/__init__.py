"""A disc for people who would rather look than read: a page, a picture, a map in the terminal.

```python
image = rawcd.open_image("album.raw")
rawcd.write_report(image, "album.html")
print(rawcd.map_text(image))
```

Every figure comes from the recorded bytes, main channel and subcode, never from what a sheet says.

`reading` collects what is shown; `spans`, `waves` and `hidden` are its parts, `tables` the subcode
in words, `graphics` CD+G at some moments. `scale` says where on a picture an address is; `rings`
and `timeline` are the two pictures. `page` puts them, `tracklist`, `texts` and `listings` together;
`maps`, `raster` and `terminal` are the map alone: as SVG, as PNG, as text.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rawcd.report.writing import (
        map_png,
        map_svg,
        map_text,
        report_html,
        write_map,
        write_report,
    )

_HOMES: Final = {
    "map_png": "writing",
    "map_svg": "writing",
    "map_text": "writing",
    "report_html": "writing",
    "write_map": "writing",
    "write_report": "writing",
}

__all__ = ["map_png", "map_svg", "map_text", "report_html", "write_map", "write_report"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return __all__
