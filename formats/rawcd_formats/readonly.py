"""What the formats declare that are read and never written."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rawcd.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.features import Feature
    from rawcd.fileset import OutputFiles
    from rawcd.image import DiscImage
    from rawcd.progress import Progress


class ReadOnly:
    """The half of `rawcd.plugins.Format` that saves: it keeps nothing and refuses."""

    name: ClassVar[str]
    keeps: ClassVar[frozenset[Feature]] = frozenset()
    read_only = True

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Refuse.

        Raises:
            UnsupportedError: always.
        """
        del image, files, options, progress
        raise UnsupportedError(f"the format {self.name} is only read; choose another one")
