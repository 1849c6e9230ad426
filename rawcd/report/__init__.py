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

from typing import TYPE_CHECKING

from rawcd.late import late_names

if TYPE_CHECKING:
    from rawcd.report.writing import (
        map_png,
        map_svg,
        map_text,
        report_html,
        write_map,
        write_report,
    )

__all__ = ["map_png", "map_svg", "map_text", "report_html", "write_map", "write_report"]

__getattr__, __dir__ = late_names(
    __name__,
    {
        "rawcd.report.writing": (
            "map_png",
            "map_svg",
            "map_text",
            "report_html",
            "write_map",
            "write_report",
        ),
    },
)
