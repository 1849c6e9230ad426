"""Files of texts alone, `.cdt` and v07t: written of a disc, laid over one, never opened."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from rawcd.cdtext import CDText, Charset, TextBlock, TextItem
from rawcd.cdtext.files import texts_of_files
from rawcd.disc import Disc, Index, Session, Track
from rawcd.errors import FormatError, UnsupportedError
from rawcd.features import CDTEXT, Feature
from rawcd.plugins import load_format, open_image, recognised_format, save_image, unkept
from tests.contract.format_contract import TEXT_MAKERS, folder, image_with, plain_disc, titles
from tests.kernel.test_cdtext_packs import blocks
from tests.strategies import image_of

if TYPE_CHECKING:
    from pathlib import Path

NAMES: Final = ("cdt", "v07t")
BOTH: Final = pytest.mark.parametrize("name", NAMES)
GERMAN: Final = 8


def cdtext_of(*said: tuple[int, str, Charset]) -> CDText:
    return CDText(
        blocks=tuple(
            TextBlock(
                language=language,
                charset=charset,
                items=(
                    TextItem(field="title", track=0, text=text),
                    TextItem(field="performer", track=2, text=text[::-1]),
                ),
            )
            for language, text, charset in said
        )
    )


def read_back(path: Path) -> CDText:
    return texts_of_files({str(path): path.read_bytes()}, first_track=1, last_track=2)


@pytest.mark.parametrize(
    "cdtext",
    [
        cdtext_of((9, "Plain", Charset.ISO_8859_1)),
        cdtext_of((9, "English", Charset.ASCII), (GERMAN, "Übermut", Charset.ISO_8859_1)),
        cdtext_of((9, "One", Charset.ISO_8859_1), (0x69, "日本語", Charset.MS_JIS)),
        titles(9, field="genre", genre_code=5),
        titles(9, copyright=3),
    ],
)
@BOTH
def test_what_is_written_is_read_back(name: str, cdtext: CDText, tmp_path: Path) -> None:
    path = tmp_path / f"a.{name}"
    result = save_image(image_of(plain_disc(cdtext=cdtext)), path)
    assert (result.files, result.losses) == ((path,), ())
    assert recognised_format(path) == name
    assert read_back(path) == cdtext
    stream = io.BytesIO()
    save_image(image_of(plain_disc(cdtext=cdtext)), stream, format=name)
    assert stream.getvalue() == path.read_bytes()


def disc_of_two_sessions(cdtext: CDText) -> Disc:
    first = Session(
        tracks=(
            Track(
                number=1, indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)), end_lba=300
            ),
        ),
        lead_out_lba=300,
    )
    program = first.end_lba + 4_500
    indexes = (Index(number=0, lba=program), Index(number=1, lba=program + 150))
    second = Session(
        tracks=(Track(number=2, indexes=indexes, end_lba=program + 450),),
        lead_in_lba=first.end_lba,
        lead_out_lba=program + 450,
        lead_out_sectors=2_250,
    )
    return Disc(sessions=(first, second), cdtext=cdtext)


@pytest.mark.parametrize("name", [*NAMES, "nrg"])
def test_texts_of_later_sessions_are_written_too(name: str, tmp_path: Path) -> None:
    """They lie in the first lead-in like all others, where an image is read back from its bytes."""
    cdtext = cdtext_of((9, "Later", Charset.ISO_8859_1))
    path = tmp_path / f"a.{name}"
    save_image(image_of(disc_of_two_sessions(cdtext)), path, allow_loss=True)
    back = open_image(path).disc.cdtext if name == "nrg" else read_back(path)
    assert back is not None
    assert back.text("performer", 2) == "retaL"


LAST: Final = 6
"""The last track of which `blocks(first=1)` draws a text."""


def disc_of_six(cdtext: CDText) -> Disc:
    tracks = tuple(
        Track(
            number=number,
            indexes=(Index(number=1, lba=300 * (number - 1)),)
            if number > 1
            else (Index(number=0, lba=-150), Index(number=1, lba=0)),
            end_lba=300 * number,
        )
        for number in range(1, LAST + 1)
    )
    return Disc(sessions=(Session(tracks=tracks, lead_out_lba=300 * LAST),), cdtext=cdtext)


def plain(block: TextBlock) -> TextBlock:
    """The block with what a sheet can say: texts of tracks 1 to 6, no packs without text."""
    told = replace(block, toc=None, intervals=(), raw=())
    return replace(told, first_track=None, last_track=None)


codes = st.sampled_from([Charset.ISO_8859_1, Charset.ASCII, Charset.MS_JIS])
plain_texts = st.lists(
    codes.flatmap(lambda charset: blocks(charset=charset, first=1)).map(plain),
    min_size=1,
    max_size=3,
).map(lambda found: CDText(blocks=tuple(found)))


closed_beside_japanese = CDText(
    blocks=(
        TextBlock(
            items=(
                TextItem(field="title", track=1, text="§"),
                TextItem(field="closed", track=1, text="§"),
            ),
            charset=Charset.MS_JIS,
        ),
    )
)
"""Closed information is ISO 8859-1, whatever the titles are in."""


@BOTH
def test_any_texts_are_read_back(name: str) -> None:
    @example(closed_beside_japanese)
    @given(plain_texts)
    def law(cdtext: CDText) -> None:
        with folder() as place:
            path = place / f"a.{name}"
            try:
                save_image(image_of(disc_of_six(cdtext)), path)
            except UnsupportedError as error:
                event(str(error))
                assert not list(place.iterdir())
                return
            files = {str(path): path.read_bytes()}
            assert texts_of_files(files, first_track=1, last_track=LAST) == cdtext

    law()


@BOTH
@pytest.mark.parametrize("feature", Feature, ids=lambda feature: feature.name)
def test_everything_else_is_lost_by_name(name: str, feature: Feature, tmp_path: Path) -> None:
    chosen = load_format(name)
    image = image_with(feature)
    if image.disc.cdtext is None:
        image = replace(image, disc=replace(image.disc, cdtext=titles(9)))
    lost = {loss.feature for loss in unkept(image, chosen)}
    assert (feature in lost) is (feature not in chosen.keeps)
    path = tmp_path / f"a.{name}"
    if not lost:
        save_image(image, path)
        assert read_back(path) == image.disc.cdtext
        return
    with pytest.raises(UnsupportedError):
        save_image(image, path)
    assert not path.exists()
    assert save_image(image, path, allow_loss=True).losses
    assert read_back(path).text("title", 0)


@pytest.mark.parametrize("name", ["cdt", "v07t"])
def test_a_loss_that_is_allowed_leaves_near_characters(name: str, tmp_path: Path) -> None:
    text = CDText(
        blocks=(TextBlock(items=(TextItem(field="title", track=0, text="Z\u0142oty \u3042"),)),)
    )
    image = image_of(replace(plain_disc(), cdtext=text))
    path = tmp_path / f"a.{name}"
    with pytest.raises(UnsupportedError, match=r"'\u0142' \(U\+0142\) is not in ISO 8859-1"):
        save_image(image, path)
    assert save_image(image, path, allow_loss=True).losses
    assert read_back(path).text("title", 0) == "Zloty ?"


def test_they_keep_texts_and_nothing_else() -> None:
    assert load_format("cdt").keeps == CDTEXT
    assert load_format("v07t").keeps == CDTEXT - {Feature.TEXT_PACKS}
    assert set(TEXT_MAKERS) - {Feature.TEXT_CHARACTERS} == CDTEXT


@BOTH
def test_a_disc_without_texts_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="has no CD-TEXT"):
        save_image(image_of(plain_disc()), tmp_path / f"a.{name}")
    with pytest.raises(UnsupportedError, match="no-such-option"):
        save_image(
            image_of(plain_disc(cdtext=titles(9))),
            tmp_path / f"a.{name}",
            options={"no-such-option": "1"},
        )
    assert not list(tmp_path.iterdir())


@BOTH
def test_none_is_opened_and_the_refusal_says_what_to_do(name: str, tmp_path: Path) -> None:
    path = tmp_path / "texts"  # recognised without its suffix
    save_image(image_of(plain_disc(cdtext=titles(9))), path, format=name)
    assert recognised_format(path) == name
    with pytest.raises(UnsupportedError, match="--cdtext"):
        open_image(path)
    assert load_format(name).accepts(f"x.{name}", b"") > 0
    assert load_format(name).accepts("x.xyz", b"") == 0


@given(st.dictionaries(st.text(max_size=3), st.binary(max_size=200), min_size=1, max_size=3))
def test_any_files_are_texts_or_raise_one_error(files: dict[str, bytes]) -> None:
    with pytest.raises(FormatError) as caught:
        texts_of_files(files, first_track=1, last_track=9)
    assert caught.value.file is not None


@given(st.data())
def test_texts_that_are_cut_or_flipped_are_read_or_raise_one_error(data: st.DataObject) -> None:
    cdtext = cdtext_of((9, "One", Charset.ISO_8859_1), (GERMAN, "Eins", Charset.ISO_8859_1))
    sheets = "".join(cdtext.to_v07t()).encode("latin-1")
    held = bytearray(data.draw(st.sampled_from([cdtext.to_cdt(), sheets])))
    held[data.draw(st.integers(0, len(held) - 1))] ^= data.draw(st.integers(0, 255))
    del held[data.draw(st.integers(len(held) - 40, len(held))) :]
    with suppress(FormatError):
        assert texts_of_files({"a": bytes(held)}, first_track=1, last_track=2).blocks


def test_texts_of_tracks_that_the_disc_has_not_are_refused() -> None:
    data = titles(9).to_cdt(first_track=1, last_track=2)
    beyond = CDText(blocks=(TextBlock(items=(TextItem(field="title", track=3, text="x"),)),))
    assert texts_of_files({"a": data}, first_track=1, last_track=2) == titles(9)
    with pytest.raises(FormatError, match=r"a: block 1: .* title of track 3; .* tracks 1 to 2"):
        texts_of_files({"a": beyond.to_cdt()}, first_track=1, last_track=2)


# -- the command ---------------------------------------------------------------------------------


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """A sheet of two tracks with a title of its own, in an empty folder."""
    (tmp_path / "a.bin").write_bytes(bytes(600 * 2352))
    sheet = 'TITLE "Old"\nFILE "a.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n'
    sheet += "TRACK 02 AUDIO\nINDEX 01 00:04:00\n"
    (tmp_path / "a.cue").write_text(sheet)
    return tmp_path


def rawcd(*arguments: str, cwd: Path) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "rawcd", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def told(path: str, cwd: Path) -> Any:
    done = rawcd("info", path, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["cdtext"]


def test_texts_are_laid_over_a_sheet(disc: Path) -> None:
    english = cdtext_of((9, "English", Charset.ISO_8859_1))
    german = cdtext_of((GERMAN, "Übermut", Charset.ISO_8859_1))
    both = CDText(blocks=(*english.blocks, *german.blocks))
    for name, cdtext in (("en", english), ("de", german)):
        (disc / f"{name}.v07t").write_bytes("".join(cdtext.to_v07t()).encode("latin-1"))
    (disc / "both.cdt").write_bytes(both.to_cdt(first_track=1, last_track=2))
    made = rawcd(
        *("build", "a.cue", "--cdtext", "en.v07t", "--cdtext", "de.v07t", "-o", "v.raw"), cwd=disc
    )
    assert made.returncode == 0, made.stderr
    assert "give way to en.v07t, de.v07t" in made.stderr
    assert rawcd("build", "a.cue", "--cdtext", "both.cdt", "-o", "c.raw", cwd=disc).returncode == 0
    assert told("v.raw", disc) == told("c.raw", disc)
    assert open_image(disc / "c.raw").disc.cdtext == both
    done = rawcd("convert", "c.raw", "out.cdt", cwd=disc)
    assert done.returncode == 0, done.stderr
    assert (disc / "out.cdt").read_bytes() == (disc / "both.cdt").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cdtext", "none.cdt"), "none.cdt"),
        (("--cdtext", "a.cue"), "a.cue"),
        (("--cdtext", "ok.cdt", "--cdtext", "ok.cdt"), None),
        (("--cdtext", "ok.cdt", "--cdtext", "ok.v07t"), "no Sony input sheet"),
    ],
)
def test_texts_that_do_not_fit_make_nothing(
    disc: Path, arguments: tuple[str, ...], said: str | None
) -> None:
    (disc / "ok.cdt").write_bytes(titles(9).to_cdt())
    (disc / "ok.v07t").write_text("".join(titles(9).to_v07t()))
    done = rawcd("build", "a.cue", *arguments, "-o", "v.raw", cwd=disc)
    if said is None:  # the same file twice is one file
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == 1
    assert said in done.stderr
    assert not (disc / "v.raw").exists()


def test_a_recorded_lead_in_keeps_its_own_texts(disc: Path) -> None:
    (disc / "ok.cdt").write_bytes(titles(9).to_cdt())
    assert rawcd("build", "a.cue", "-o", "a.raw", cwd=disc).returncode == 0
    done = rawcd("build", "a.raw", "--cdtext", "ok.cdt", "-o", "b.raw", cwd=disc)
    assert done.returncode == 2
    assert "was recorded" in done.stderr
