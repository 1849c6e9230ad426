"""What every format owes: subclass, name the format, and inherit the suite.

```python
class TestRawContract(FormatContract):
    name = "raw"
    complete = True
```

The laws follow from what the format itself declares (`keeps`, `suffixes`): what it
keeps comes back, what it does not keep is refused by name before a byte is written.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.cdtext import CDText, Charset, RawPack, TextBlock, TextItem
from rawcd.disc import CopySetting, Disc, DiscType, Index, Session, Track, TrackMode
from rawcd.errors import CancelledError, FormatError, StorageError, UnsupportedError
from rawcd.features import Feature, losses
from rawcd.image import (
    ImageType,
    MainForm,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
    main_sectors,
)
from rawcd.plugins import load_format, open_image, recognised_format, save_image, unkept
from rawcd.sector import SectorType, encode
from rawcd.source import ArraySource
from tests.strategies import PatternSource, cuts, discs, image_of, images, noise_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rawcd.image import DiscImage
    from rawcd.plugins import Format

_STEP: Final = 2048
MAY_RAISE: Final = (FormatError, StorageError, UnsupportedError)
"""What any bytes may be answered with; nothing else."""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of one example; pytest's own is shared by all examples of a test."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def scaled(examples: int) -> int:
    """Examples of a law that needs more or fewer than the profile's own, which are 50 by day."""
    return max(1, settings().max_examples * examples // 50)


def assert_same_main(image: DiscImage, other: DiscImage, lba: int, end: int) -> None:
    for at in range(lba, end, _STEP):
        count = min(_STEP, end - at)
        left = main_sectors(image, at, count, plain=False)
        right = main_sectors(other, at, count, plain=False)
        differ = np.flatnonzero((left != right).any(axis=1))
        assert not differ.size, f"the main channel differs at LBA {at + int(differ[0])}"


def assert_same_bytes(image: DiscImage, other: DiscImage) -> None:
    assert (image.kind.sub_bytes, image.first_lba, image.sector_count) == (
        other.kind.sub_bytes,
        other.first_lba,
        other.sector_count,
    )
    end = image.first_lba + image.sector_count
    for at in range(image.first_lba, end, _STEP):
        count = min(_STEP, end - at)
        if image.read(at, count) != other.read(at, count):
            first = next(
                lba for lba in range(at, at + count) if image.read(lba, 1) != other.read(lba, 1)
            )
            pytest.fail(f"sector and subcode differ first at LBA {first}")


def features_of(image: DiscImage) -> set[Feature]:
    return {loss.feature for loss in losses(image, ())}


# -- an image with one feature -----------------------------------------------------------------


def plain_disc(
    *,
    lead_in_lba: int = -22_650,
    lead_out_sectors: int = 6_750,
    disc_type: DiscType = DiscType.CDDA_CDROM,
    first_number: int = 1,
    mcn: str | None = None,
    cdtext: CDText | None = None,
) -> Disc:
    """Two tracks of 300 sectors, and nothing else that could be lost."""
    first = Track(
        number=first_number,
        indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
        end_lba=300,
    )
    second = Track(number=first_number + 1, indexes=(Index(number=1, lba=300),), end_lba=600)
    session = Session(
        tracks=(first, second),
        lead_in_lba=lead_in_lba,
        lead_out_lba=600,
        lead_out_sectors=lead_out_sectors,
        disc_type=disc_type,
    )
    return Disc(sessions=(session,), mcn=mcn, cdtext=cdtext)


def _changed(disc: Disc, place: int, **changes: object) -> Disc:
    session = disc.sessions[0]
    tracks = list(session.tracks)
    tracks[place] = replace(tracks[place], **changes)  # type: ignore[arg-type]  # any field
    return replace(disc, sessions=(replace(session, tracks=tuple(tracks)),))


def _with_pregap() -> Disc:
    disc = _changed(plain_disc(), 0, end_lba=300)
    session = disc.sessions[0]
    second = replace(
        session.tracks[1], indexes=(Index(number=0, lba=300), Index(number=1, lba=375))
    )
    return replace(disc, sessions=(replace(session, tracks=(session.tracks[0], second)),))


def silent(disc: Disc) -> RegionImage:
    return replace(
        image_of(disc),
        main=(
            Region(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=MainForm.ZERO),
        ),
    )


def _with_data(mode: TrackMode, *, clean: bool = True) -> RegionImage:
    """The first track's sectors are of the mode; one has a wrong bit unless they are clean."""
    disc = _changed(plain_disc(), 0, mode=mode)
    sector_type, user = {
        TrackMode.MODE0: (SectorType.MODE_ZERO, np.zeros((300, 2336), np.uint8)),
        TrackMode.MODE1: (SectorType.MODE1, noise_rows(300, 2048)),
        TrackMode.MODE2: (SectorType.MODE2FORM1, noise_rows(300, 2048)),
    }[mode]
    rows = encode(sector_type, user, 0)
    rows[77, 2075] ^= 0 if clean else 4
    main = (
        Region(lba=disc.first_lba, sectors=-disc.first_lba, form=MainForm.ZERO),
        Region(
            lba=0,
            sectors=300,
            form=MainForm.PLAIN,
            source=ArraySource(rows.tobytes()),
            sector_type=sector_type,
        ),
        Region(
            lba=300, sectors=300, form=MainForm.DISC, source=PatternSource(block_count=300, salt=9)
        ),
        Region(lba=600, sectors=disc.end_lba - 600, form=MainForm.ZERO),
    )
    return replace(image_of(disc), main=main)


def _with_cdi() -> RegionImage:
    made = _with_data(TrackMode.MODE2)
    session = replace(made.disc.sessions[0], disc_type=DiscType.CDI)
    return replace(made, disc=replace(made.disc, sessions=(session,)))


def _with_sessions() -> RegionImage:
    first = plain_disc().sessions[0]
    lead_in = first.end_lba
    start = lead_in + 4_500 + 150
    track = Track(
        number=3,
        indexes=(Index(number=0, lba=start - 150), Index(number=1, lba=start)),
        end_lba=start + 300,
    )
    second = Session(
        tracks=(track,),
        lead_in_lba=lead_in,
        lead_out_lba=start + 300,
        lead_out_sectors=2_250,
    )
    return image_of(Disc(sessions=(first, second)))


def with_sound_at(image: RegionImage, lba: int) -> RegionImage:
    """The image with sound of ten sectors outside its tracks."""
    regions: list[Region] = []
    for region in image.main:
        end = region.lba + region.sectors
        if not region.lba <= lba < end:
            regions.append(region)
            continue
        if region.lba < lba:
            regions.append(replace(region, sectors=lba - region.lba))
        regions.append(
            Region(lba=lba, sectors=10, form=MainForm.DISC, source=PatternSource(block_count=10))
        )
        if lba + 10 < end:
            regions.append(replace(region, lba=lba + 10, sectors=end - lba - 10))
    return replace(image, main=tuple(regions))


def with_stored_pq(image: RegionImage, *, outer: bool = False) -> RegionImage:
    """The image with recorded subcode, within the tracks or outside as another writer makes it."""
    rows = np.empty((2, image.sector_count, 96), np.uint8)
    image.read_sub_into(image.first_lba, rows[0])
    image.with_style("cdrecord").read_sub_into(image.first_lba, rows[1])
    inside = slice(-image.first_lba, image.disc.sessions[0].lead_out_lba - image.first_lba)
    rows[:, inside] = rows[::-1, inside].copy()
    stored = ArraySource(rows[int(outer)].tobytes(), block_size=96)
    region = SubRegion(
        lba=image.first_lba, sectors=image.sector_count, form=SubForm.RAW, source=stored
    )
    return replace(image, sub=(region,))


def with_rw(image: RegionImage, *, outer: bool = False) -> RegionImage:
    """The image with recorded R-W, within the tracks or in the lead-out."""
    rows = noise_rows(image.sector_count, 96) & np.uint8(0x3F)
    lead_out = image.disc.sessions[0].lead_out_lba - image.first_lba
    rows[: lead_out if outer else -image.first_lba] = 0
    rows[lead_out if not outer else len(rows) :] = 0
    source = ArraySource(rows.tobytes(), block_size=96)
    region = SubRegion(
        lba=image.first_lba, sectors=image.sector_count, form=SubForm.RW, source=source
    )
    return replace(image, sub=(region,))


def titles(*languages: int, field: str = "title", text: str = "A title", **more: Any) -> CDText:
    items = (TextItem(field=field, track=0, text=text),)
    return CDText(blocks=tuple(TextBlock(language=code, items=items, **more) for code in languages))


TEXT_MAKERS: Final[dict[Feature, Callable[[], CDText]]] = {
    Feature.TITLES: lambda: titles(9),
    Feature.OTHER_TEXTS: lambda: titles(9, field="composer"),
    Feature.TEXT_CODES: lambda: titles(9, field="closed"),
    Feature.GENRE_CODE: lambda: titles(9, field="genre", genre_code=5),
    Feature.LANGUAGES: lambda: titles(9, 8),
    Feature.TEXT_CHARSET: lambda: titles(9, charset=Charset.ASCII),
    Feature.TEXT_PACKS: lambda: titles(
        9, raw=(RawPack(pack_type=0x8A, element=1, payload=bytes(range(12))),)
    ),
    Feature.SIZE_INFO: lambda: titles(9, copyright=3),
    Feature.TEXT_CHARACTERS: lambda: titles(9, text="\u0100"),
}
"""CD-TEXT with one feature."""


_MAKERS: Final[dict[Feature, Callable[[], Disc | RegionImage]]] = {
    Feature.MCN: lambda: plain_disc(mcn="2000000001234"),
    Feature.ISRC: lambda: _changed(plain_disc(), 1, isrc="XXRCD2600001"),
    Feature.COPY_PERMITTED: lambda: _changed(plain_disc(), 0, copy=CopySetting.PERMITTED),
    Feature.SCMS: lambda: _changed(plain_disc(), 1, copy=CopySetting.SCMS),
    Feature.PRE_EMPHASIS: lambda: _changed(plain_disc(), 0, pre_emphasis=True),
    Feature.FOUR_CHANNEL: lambda: _changed(plain_disc(), 1, four_channel=True),
    Feature.PREGAPS: lambda: silent(_with_pregap()),
    Feature.INDEXES: lambda: _changed(
        plain_disc(), 1, indexes=(Index(number=1, lba=300), Index(number=2, lba=450))
    ),
    Feature.PREGAP_DATA: lambda: image_of(_with_pregap()),
    Feature.RAW_SECTORS: lambda: _with_data(TrackMode.MODE1, clean=False),
    Feature.FIRST_PREGAP_SOUND: lambda: with_sound_at(image_of(plain_disc()), -100),
    Feature.FIRST_TRACK_NUMBER: lambda: plain_disc(first_number=4),
    Feature.DATA_TRACKS: lambda: _with_data(TrackMode.MODE1),
    Feature.MODE0_TRACKS: lambda: _with_data(TrackMode.MODE0),
    Feature.DISC_TYPE: lambda: plain_disc(disc_type=DiscType.XA),
    Feature.CDI_TYPE: _with_cdi,
    Feature.SESSIONS: _with_sessions,
    Feature.APPENDABLE: lambda: replace(plain_disc(), appendable=True),
    Feature.STORED_PQ: lambda: with_stored_pq(image_of(plain_disc())),
    Feature.OUTER_PQ: lambda: with_stored_pq(image_of(plain_disc()), outer=True),
    Feature.RW: lambda: with_rw(image_of(plain_disc())),
    Feature.DATA_RW: lambda: with_rw(_with_data(TrackMode.MODE1)),
    Feature.OUTER_RW: lambda: with_rw(image_of(plain_disc()), outer=True),
    Feature.LEAD_IN_DATA: lambda: with_sound_at(image_of(plain_disc()), -5_000),
    Feature.LEAD_OUT_DATA: lambda: with_sound_at(image_of(plain_disc()), 700),
    Feature.LEAD_OUT_LENGTH: lambda: plain_disc(lead_out_sectors=2_250),
}


def image_with(feature: Feature) -> RegionImage:
    """An image that has the feature."""
    text = TEXT_MAKERS.get(feature)
    made = plain_disc(cdtext=text()) if text else _MAKERS[feature]()
    return image_of(made) if isinstance(made, Disc) else made


class FormatContract:
    """The suite. A subclass sets `name`, and what else is true of its format.

    Attributes:
        name: the entry point's name.
        complete: a file holds every sector from lead-in to lead-out with its subcode.
        never: features of discs that the format cannot hold at all, whatever loss is allowed.
        examples: how many discs the round trip tries; the `night` profile tries 20 times more.
    """

    name: ClassVar[str]
    complete: ClassVar[bool] = False
    never: ClassVar[frozenset[Feature]] = frozenset()
    examples: ClassVar[int] = 15

    @property
    def format(self) -> Format:
        return load_format(self.name)

    def kept_of(self, image: RegionImage) -> frozenset[Feature]:
        """What the format keeps of one image."""
        keeps_for = getattr(self.format, "keeps_for", None)
        return self.format.keeps if keeps_for is None else frozenset(keeps_for(image))

    def path_in(self, place: Path, stem: str = "image") -> Path:
        return place / f"{stem}{self.format.suffixes[0]}"

    def discs(self) -> st.SearchStrategy[Disc]:
        """Discs that the format keeps whole."""
        return discs(titles=Feature.TITLES in self.format.keeps)

    def images(self) -> st.SearchStrategy[RegionImage]:
        """Images that the format keeps whole."""
        return images(
            self.discs(), sound_before_zero=Feature.FIRST_PREGAP_SOUND in self.format.keeps
        )

    def image_with(self, feature: Feature) -> RegionImage:
        """An image that has the feature, and nothing else that the format does not keep."""
        return image_with(feature)

    def small_image(self) -> RegionImage:
        """An image whose file is mutated byte by byte: the smaller, the better."""
        if self.complete:
            return image_of(plain_disc(lead_in_lba=-450, lead_out_sectors=100, mcn="2000000001234"))
        return image_of(plain_disc(mcn="2000000001234", cdtext=titles(9)))

    # -- laws ----------------------------------------------------------------------------------

    def test_what_is_saved_loads(self) -> None:
        @settings(max_examples=scaled(self.examples))
        @given(self.images(), st.data())
        def law(image: RegionImage, data: st.DataObject) -> None:
            with folder() as place:
                path = self.path_in(place)
                result = save_image(image, path, format=self.name)
                assert not result.losses
                assert path in result.files
                assert sorted(result.files) == sorted(place.iterdir())
                assert recognised_format(path) == self.name
                opened = open_image(path)
                assert opened.disc == image.disc
                if self.complete:
                    assert_same_bytes(image, opened)
                else:
                    assert_same_main(image, opened, 0, image.disc.sessions[0].lead_out_lba)
                self._check_pieces(opened, data)

        law()

    @staticmethod
    def _check_pieces(opened: DiscImage, data: st.DataObject) -> None:
        """Reading in any cuts equals reading whole, by sectors and as a stream."""
        count = data.draw(st.integers(0, min(700, opened.sector_count)))
        lba = opened.first_lba + data.draw(st.integers(0, opened.sector_count - count))
        whole = opened.read(lba, count)
        assert len(whole) == count * opened.sector_size
        pieces = []
        position = lba
        for cut in data.draw(cuts(count)):
            pieces.append(opened.read(position, cut))
            position += cut
        assert b"".join(pieces) == whole
        with opened.open() as stream:
            stream.seek((lba - opened.first_lba) * opened.sector_size)
            assert b"".join(stream.read(cut) for cut in data.draw(cuts(len(whole)))) == whole

    def test_any_bytes_load_or_raise_one_of_three_errors(self) -> None:
        @given(st.binary(max_size=5_000))
        def law(junk: bytes) -> None:
            with folder() as place:
                path = self.path_in(place)
                path.write_bytes(junk)
                self.format.accepts(path.name, junk)
                self.try_to_load(path)

        law()

    def test_its_own_files_mutated_load_or_raise_one_of_three_errors(self) -> None:
        with folder() as place:
            path = self.path_in(place)
            save_image(self.small_image(), path, format=self.name)
            whole = path.read_bytes()

            @given(st.data())
            def law(data: st.DataObject) -> None:
                path.write_bytes(self.mutated(whole, data))
                self.try_to_load(path)

            law()

    def test_its_own_files_cut_off_load_or_raise_one_of_three_errors(self) -> None:
        with folder() as place:
            save_image(self.small_image(), self.path_in(place), format=self.name)
            whole = {path: path.read_bytes() for path in place.iterdir()}

            @given(st.sampled_from(sorted(whole)), st.data())
            def law(victim: Path, data: st.DataObject) -> None:
                kept = data.draw(st.integers(0, len(whole[victim]) - 1))
                victim.write_bytes(whole[victim][:kept])
                try:
                    self.try_to_load(self.path_in(place))
                finally:
                    victim.write_bytes(whole[victim])

            law()

    def mutated(self, whole: bytes, data: st.DataObject) -> bytes:
        """Some bytes replaced, a stretch taken out or doubled."""
        held = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 6))):
            at = data.draw(st.integers(0, len(held) - 1))
            held[at : at + 1] = data.draw(st.binary(max_size=3))
            if not held:
                return b""
        start, end = sorted(data.draw(st.integers(0, len(held))) for _ in range(2))
        stretch = bytes(held[start : min(end, start + 4_000)])
        held[start : start + len(stretch)] = stretch * data.draw(st.sampled_from([0, 1, 1, 2]))
        return bytes(held)

    def try_to_load(self, path: Path) -> None:
        """Load, and read what came of it: no foreign exception may come out."""
        refused: FormatError | None = None
        with suppress(StorageError, UnsupportedError):
            try:
                opened = open_image(path, format=self.name)
            except FormatError as error:
                refused = error
            else:
                for lba in (opened.first_lba, 0, opened.first_lba + opened.sector_count - 1):
                    with suppress(*MAY_RAISE):
                        assert len(opened.read(lba, 1)) == opened.sector_size
        if refused is not None:
            assert refused.file, refused
            assert refused.place, refused

    # -- what it keeps -------------------------------------------------------------------------

    @pytest.mark.parametrize("feature", Feature, ids=lambda feature: feature.name)
    def test_each_feature_is_kept_or_refused_by_name(self, feature: Feature) -> None:
        image = self.image_with(feature)
        assert feature in features_of(image), "the maker of this feature makes none"
        with folder() as place:
            path = self.path_in(place)
            if features_of(image) <= self.kept_of(image):
                save_image(image, path, format=self.name)
                opened = open_image(path, format=self.name)
                assert opened.disc == image.disc
                assert feature in features_of(opened)
                assert_same_main(image, opened, 0, image.disc.sessions[0].lead_out_lba)
                if self.complete:
                    assert_same_bytes(image, opened)
            else:
                self._check_refused(image, feature, path)

    def _check_refused(self, image: RegionImage, feature: Feature, path: Path) -> None:
        with pytest.raises(UnsupportedError) as caught:
            save_image(image, path, format=self.name)
        named = [str(loss) for loss in unkept(image, self.format) if loss.feature is feature]
        assert named
        assert set(named) <= set(caught.value.lost)
        assert not list(path.parent.iterdir())
        if feature in self.never:
            with pytest.raises(UnsupportedError, match=self.name):
                save_image(image, path, format=self.name, allow_loss=True)
            assert not list(path.parent.iterdir())
            return
        result = save_image(image, path, format=self.name, allow_loss=True)
        assert feature in {loss.feature for loss in result.losses}
        assert path.is_file()
        with suppress(UnsupportedError):  # a stream of several sessions is written, not read
            assert feature not in features_of(open_image(path, format=self.name))

    # -- saving --------------------------------------------------------------------------------

    def test_an_unknown_option_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UnsupportedError, match="no-such-option"):
            save_image(
                self.small_image(),
                self.path_in(tmp_path),
                format=self.name,
                options={"no-such-option": "1"},
            )
        assert not list(tmp_path.iterdir())

    def test_progress_counts_every_sector_and_can_stop(self, tmp_path: Path) -> None:
        told: list[tuple[int, int]] = []

        def listen(done: int, total: int) -> bool:
            told.append((done, total))
            return True

        image = self.small_image()
        save_image(image, self.path_in(tmp_path, "all"), format=self.name, progress=listen)
        totals = {total for _, total in told}
        assert len(totals) == 1
        assert told[-1][0] == told[-1][1]
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        before = sorted(tmp_path.iterdir())
        with pytest.raises(CancelledError):
            save_image(
                image,
                self.path_in(tmp_path, "stopped"),
                format=self.name,
                progress=lambda done, total: False,
            )
        assert sorted(tmp_path.iterdir()) == before

    def test_it_declares_itself(self) -> None:
        chosen = self.format
        assert chosen.name == self.name
        assert chosen.suffixes
        assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in chosen.suffixes)
        keeps_for = getattr(chosen, "keeps_for", None)
        if keeps_for is not None:  # no kind of image keeps what the format does not
            kinds = [self.small_image().as_kind(kind) for kind in ImageType]
            assert frozenset().union(*map(keeps_for, kinds)) == chosen.keeps
        assert chosen.accepts("nothing.xyz", b"") == 0
