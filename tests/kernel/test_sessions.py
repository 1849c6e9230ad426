"""Several sessions: where they lie, what their lead-ins say, and what may follow what."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

import rawcd
from rawcd import AuthoringError, FormatError, RawCDImageCreator, SectorType, SilenceSource
from rawcd.disc import Disc, Index, Session, Track, TrackMode
from rawcd.subcode.decoder import toc_of
from rawcd.subcode.rows import pq_of_pw96
from rawcd.toc import lead_in_pointers, scsi_full_toc, scsi_session_info, scsi_toc

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage
    from rawcd.subcode.frame import QPointer

E_INVALIDARG = 0x80070057


def audio_session(*, appendable: bool = False, sectors: int = 1_000) -> RegionImage:
    creator = RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.media_catalog_number = "4006381333931"
    creator.appendable = appendable
    creator.add_track(SilenceSource(block_count=sectors))
    return creator.create_result_image()


def with_data(
    before: RegionImage, *, appendable: bool = False, kind: SectorType = SectorType.MODE2FORM1
) -> RegionImage:
    creator = RawCDImageCreator(after=before)
    creator.appendable = appendable
    creator.add_track(bytes([7]) * 2_048 * 300, kind)
    return creator.create_result_image()


def lead_in_of(image: RegionImage, number: int) -> dict[tuple[int, int], QPointer]:
    """What the recorded frames of a session's lead-in say."""
    session = image.disc.sessions[number - 1]
    data = np.frombuffer(image.read(session.lead_in_lba, 400), np.uint8).reshape(400, -1)
    q, _ = pq_of_pw96(np.ascontiguousarray(data[:, 2_352:]))
    return toc_of(q)


def msf(lba: int) -> str:
    seconds, frame = divmod(lba + 150, 75)
    return f"{seconds // 60:02}{seconds % 60:02}{frame:02}"


def test_the_second_session_begins_11_400_sectors_behind_the_first_lead_out() -> None:
    disc = with_data(with_data(audio_session(), appendable=True)).disc
    one, two, three = disc.sessions
    assert one.lead_out_lba == 1_000
    assert (two.lead_in_lba, two.program_lba) == (1_000 + 6_750, 1_000 + 11_250)
    assert two.tracks[0].start_lba == 1_000 + 11_400
    assert three.tracks[0].start_lba == two.lead_out_lba + 6_900
    assert [session.lead_out_sectors for session in disc.sessions] == [6_750, 2_250, 2_250]
    assert [track.number for track in disc.tracks] == [1, 2, 3]
    assert disc.mcn == "4006381333931"


def test_a_disc_of_one_session_has_no_pointers_of_mode_5() -> None:
    assert {adr for adr, _ in lead_in_of(audio_session(), 1)} == {1}


def test_b0_names_the_next_program_area_and_c0_the_first_lead_in() -> None:
    image = with_data(audio_session())
    first, second = lead_in_of(image, 1), lead_in_of(image, 2)
    assert first[5, 0xB0].running.hex() == msf(1_000 + 11_250)
    assert first[5, 0xB0].zero == 2
    assert first[5, 0xB0].value.hex() == "795974"
    assert first[5, 0xC0].value.hex() == "950000"
    assert second[5, 0xB0].running.hex() == "ffffff"  # closed
    assert second[5, 0xB0].zero == 1
    assert (5, 0xC0) not in second
    assert second[1, 0xA0].value.hex() == "022000"  # track 2 is the first, XA
    assert second[1, 0x02].value.hex() == msf(1_000 + 11_400)
    assert second[1, 0x02].control == 4


def test_an_open_disc_says_where_a_session_may_begin() -> None:
    image = audio_session(appendable=True)
    assert lead_in_of(image, 1)[5, 0xB0].running.hex() == msf(1_000 + 11_250)


def test_toc_in_the_forms_of_read_toc() -> None:
    disc = with_data(audio_session()).disc
    assert scsi_toc(disc)[:4] == struct.pack(">HBB", 2 + 3 * 8, 1, 2)
    assert scsi_session_info(disc) == struct.pack(
        ">HBB BBBBi", 10, 1, 2, 0, 0x14, 2, 0, 1_000 + 11_400
    )
    full = scsi_full_toc(disc)
    assert full[:4] == struct.pack(">HBB", len(full) - 2, 1, 2)
    items = [full[place : place + 11] for place in range(4, len(full), 11)]
    assert [(item[0], item[1] >> 4, item[3]) for item in items] == [
        *((1, 1, point) for point in (0xA0, 0xA1, 0xA2, 1)),
        *((1, 5, point) for point in (0xB0, 0xC0)),
        *((2, 1, point) for point in (0xA0, 0xA1, 0xA2, 2)),
        (2, 5, 0xB0),
    ]
    assert items[2][8:] == bytes([0, 15, 25])  # LBA 1000, binary
    assert items[6][8:] == bytes([2, 0x20, 0])
    assert items[5][8:] == bytes([95, 0, 0])


def test_full_toc_of_many_tracks_is_binary() -> None:
    tracks = tuple(
        Track(
            number=number,
            mode=TrackMode.AUDIO,
            indexes=(
                *([Index(number=0, lba=-150)] if number == 1 else []),
                Index(number=1, lba=(number - 1) * 300),
            ),
            end_lba=number * 300,
        )
        for number in range(1, 13)
    )
    disc = Disc(sessions=(Session(tracks=tracks, lead_out_lba=3_600),))
    points = [scsi_full_toc(disc)[place + 3] for place in range(4, 4 + 15 * 11, 11)]
    assert points[3:] == list(range(1, 13))


def test_the_image_spans_all_sessions() -> None:
    before = audio_session()
    image = with_data(before)
    assert image.sector_count == before.sector_count + 4_500 + 150 + 300 + 2_250
    assert image.read(-150, 300) == before.read(-150, 300)


def recorded(image: RegionImage, path: Path) -> RegionImage:
    rawcd.save_image(image, path)
    return rawcd.open_image(path)  # type: ignore[return-value]  # raw gives RegionImages


def test_a_session_goes_onto_a_recorded_disc_that_is_open(tmp_path: Path) -> None:
    before = recorded(audio_session(appendable=True), tmp_path / "one.raw")
    image = with_data(before)
    again = recorded(image, tmp_path / "two.raw")
    assert again.disc == image.disc
    count = before.sector_count
    assert again.read(again.first_lba, count) == before.read(before.first_lba, count)


def test_a_closed_disc_takes_no_session(tmp_path: Path) -> None:
    before = recorded(audio_session(), tmp_path / "one.raw")
    with pytest.raises(AuthoringError, match="names no next one") as caught:
        RawCDImageCreator(after=before)
    assert (caught.value.rule, caught.value.hresult) == ("closed-disc", E_INVALIDARG)


def test_what_is_the_disc_s_was_settled_by_its_first_session() -> None:
    creator = RawCDImageCreator(after=audio_session())
    assert creator.media_catalog_number == "4006381333931"
    for name, value in (
        ("media_catalog_number", ""),
        ("starting_track_number", 5),
        ("cdtext", None),
    ):
        with pytest.raises(AuthoringError, match="settled by its first session"):
            setattr(creator, name, value)


def test_addresses_are_known_before_the_track_is_made() -> None:
    creator = RawCDImageCreator(after=audio_session())
    assert creator.next_starting_lba(SectorType.MODE2FORM1) == 1_000 + 11_400
    creator.add_track(bytes(2_048 * 300), SectorType.MODE2FORM1)
    assert creator.next_starting_lba() == 1_000 + 11_400 + 300 + 150 + 150
    assert creator.next_starting_lba(SectorType.MODE2FORM1) == 1_000 + 11_400 + 300
    assert creator.raw_sector_count == 4_500 + 150 + 300 + 2_250
    plain = RawCDImageCreator()
    assert plain.next_starting_lba(pregap=200) == 50


def test_a_session_that_does_not_fit_is_refused_before_it_is_made() -> None:
    creator = RawCDImageCreator(after=audio_session(sectors=380_000))
    with pytest.raises(AuthoringError, match="the lead-out would start"):
        creator.add_track(bytes(2_048 * 7_000), SectorType.MODE1)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(AuthoringError, match="after= is of the type str, and no image"):
        RawCDImageCreator(after="disc.raw")  # type: ignore[arg-type]  # pyright: ignore  # that is the case


def test_pointers_are_those_of_the_right_session() -> None:
    disc = with_data(audio_session()).disc
    assert [pointer.point for pointer in lead_in_pointers(disc, 2)] == [0xA0, 0xA1, 0xA2, 2, 0xB0]


def test_a_recording_cut_inside_its_second_lead_in_is_refused(tmp_path: Path) -> None:
    image = with_data(audio_session())
    path = tmp_path / "cut.raw"
    end = image.disc.sessions[1].lead_in_lba + 3_000
    path.write_bytes(image.read(image.first_lba, end - image.first_lba))
    with pytest.raises(FormatError, match="a lead-in and nothing behind it"):
        rawcd.open_image(path)


def test_b0_never_names_a_lead_out_before_the_one_that_is_there() -> None:
    image = audio_session(appendable=True, sectors=370_000)
    assert lead_in_of(image, 1)[5, 0xB0].value.hex() == msf(370_000)
    limited = RawCDImageCreator()
    limited.start_of_leadout_limit = 333_000
    limited.appendable = True
    limited.resulting_image_type = rawcd.ImageType.RAW
    limited.add_track(SilenceSource(block_count=300))
    assert lead_in_of(limited.create_result_image(), 1)[5, 0xB0].value.hex() == "740200"
