"""Where real writers differ: every choice is a named field."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

_MissingTracks = Literal["empty", "album"]
_Crc = Literal["inverted", "plain", "zero"]
_ControlOfLeadOut = Literal["last", "first"]
_ControlOfPregap = Literal["own", "previous"]
Errors = Literal["strict", "replace"]
"""What to do with a character that a character set lacks: refuse, or write something near."""


def check_word(word: str, words: object, what: str) -> None:
    """Refuse a word that is none of a `Literal`: a misspelt choice would pass for the other one.

    Raises:
        ValueError: it is none of them.
    """
    known = get_args(words)
    if word not in known:
        raise ValueError(f"{what} {word!r} is none of {', '.join(known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStyle:
    """How packs are made of texts; the defaults are the plainest reading of the standard.

    What is no choice: packs lie in order of their types, size information last; the character
    position is the number of characters in earlier packs, at most 15 (13 and 14 do occur, as
    libburn's and cdrdao's packs show, though libburn's document says 15 for any text that began
    before the previous pack).

    Attributes:
        repeat_as_tab: a text equal to the previous track's is a single TAB (two bytes 09h in
            double-byte texts). libburn does so, cdrdao and libMirage write it out; the shortcut
            makes room (MMC-3 annex J), and old readers do not know it. The first track is never
            compared to the album.
        missing_tracks: what a track without a text gets when another track has one. "empty":
            nothing but the terminator, libburn; "album": the album's text, cdrdao.
            cdrdao does so with UPC/EAN too; an ISRC made of the album's number would be wrong,
            so that is not copied.
        album_alone: where only the album has a text of a type, the tracks get no entries. False:
            libburn, as its description and MMC-3 ask for one text for the disc and one for
            each track; True: cdrdao. It shows only on discs of many tracks, for the rest of a
            pack is zero either way.
        closed_per_track: type 8Dh has an entry for every track, empty ones too. False: libburn,
            the album's alone; entries for tracks appear as soon as one of them has a text.
        genre_code_in_each_pack: the two code bytes of type 87h stand in its further packs too,
            which libburn's description allows; it and cdrdao write them once.
        crc: the last two bytes of a pack. "inverted": MMC-3 annex J and all writers; "plain":
            the remainder as it is; "zero": none, as in CloneCD sheets after libMirage.

    Raises:
        ValueError: a choice is none that there is.
    """

    repeat_as_tab: bool = False
    missing_tracks: _MissingTracks = "empty"
    album_alone: bool = False
    closed_per_track: bool = False
    genre_code_in_each_pack: bool = False
    crc: _Crc = "inverted"

    def __post_init__(self) -> None:
        check_word(self.missing_tracks, _MissingTracks, "missing_tracks")
        check_word(self.crc, _Crc, "crc")


STANDARD_TEXT: Final = TextStyle()
TEXT_STYLES: Final = MappingProxyType(
    {
        "standard": STANDARD_TEXT,
        "libburn": TextStyle(repeat_as_tab=True),
        "cdrdao": TextStyle(missing_tracks="album", album_alone=True),
    }
)
"""By the program whose packs come out byte for byte: `libburn` is also cdrskin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How subcode is made; the defaults are the standard's.

    All choices are read by drives and players; they matter where a stream is compared with
    another writer's, byte for byte.

    Attributes:
        countdown_ends_at: relative time of the last pregap sector. 0: IEC 60908 / ECMA-130
            22.3.3.3, pressed discs; 1: cdrdao, libMirage.
        p_lag: sectors by which P follows Q. 1: ECMA-130 (P is still set in the first sector of
            index 1), cdrdao; 0: cdrecord, libMirage.
        p_least: P is set at least so many sectors before index 1, even without a pregap. 150:
            two seconds, cdrdao; 0: only in the pregap, cdrecord.
        p_before_lead_out: P is set so many sectors before the lead-out. 150: cdrdao; 0: cdrecord.
        p_wave: half period, in sectors, of the P wave in the lead-out. 19: 2 Hz, Red Book 17.4;
            75: cdrecord.
        mcn_at: (period, LBA modulo period) of the mode 2 frames. (90, 0) leaves ten sectors of
            slack under the rule "once in 100 sectors"; (100, 99): cdrecord.
        isrc_at: the same for the mode 3 frames.
        control_in_mode_2_3: CONTROL of the sector stands in mode 2 and 3 frames; cdrecord puts 0.
        toc_pointers_first: A0, A1, A2 come before the tracks in the lead-in; cdrdao puts them
            behind.
        lead_in_time_of_address: the lead-in's running time is the sector's address (ATIP form);
            False counts from 00:00:00 as cdrdao does.
        lead_out_control_of: the track whose CONTROL the lead-out carries; "first": cdrecord on
            a disc with a data track in front.
        pregap_control_of: "own", or "previous" as cdrecord after a data track.
        mode_change_head: sectors at the head of a data track's pregap that carry CONTROL of the
            track before it, where that is of another mode and the pregap has three seconds.
            75: ECMA-130 20.1, MMC; 0: cdrdao, whose pregaps are the coming track's throughout.
        pq16_crc_inverted: the 16-byte form holds the CRC as the disc does, inverted; cdrdao
            stores it uninverted.
        rw_parity: R-W packs get their parity (IEC 60908 19.3) on the way into final symbols;
            False takes what they bring.
        text: how CD-TEXT packs are made.
        text_errors: what to do with a character that a text's character set lacks: refuse, or
            "replace" it by a near one.

    Raises:
        ValueError: a number cannot be, or a choice is none that there is.
    """

    countdown_ends_at: int = 0
    p_lag: int = 1
    p_least: int = 150
    p_before_lead_out: int = 150
    p_wave: int = 19
    mcn_at: tuple[int, int] = (90, 0)
    isrc_at: tuple[int, int] = (90, 50)
    control_in_mode_2_3: bool = True
    toc_pointers_first: bool = True
    lead_in_time_of_address: bool = True
    lead_out_control_of: _ControlOfLeadOut = "last"
    pregap_control_of: _ControlOfPregap = "own"
    mode_change_head: int = 75
    pq16_crc_inverted: bool = True
    rw_parity: bool = True
    text: TextStyle = STANDARD_TEXT
    text_errors: Errors = "strict"

    def __post_init__(self) -> None:
        counts = (
            self.countdown_ends_at,
            self.p_lag,
            self.p_least,
            self.p_before_lead_out,
            self.mode_change_head,
        )
        if min(counts) < 0 or self.p_wave < 1:
            raise ValueError("a style's counts are not negative, and p_wave is at least 1")
        for period, phase in (self.mcn_at, self.isrc_at):
            if not 0 <= phase < period:
                raise ValueError(f"a phase of {phase} does not lie in a period of {period}")
        check_word(self.lead_out_control_of, _ControlOfLeadOut, "lead_out_control_of")
        check_word(self.pregap_control_of, _ControlOfPregap, "pregap_control_of")
        check_word(self.text_errors, Errors, "text_errors")

    @classmethod
    def preset(cls, name: str) -> Style:
        """Return a preset: `"standard"`, `"cdrdao"` or `"cdrecord"`.

        Raises:
            ValueError: there is no preset of that name.
        """
        try:
            return STYLES[name]
        except KeyError:
            raise ValueError(f"no style {name!r}; there are {', '.join(STYLES)}") from None


STYLES: Final = MappingProxyType(
    {
        "standard": Style(),
        "cdrdao": Style(
            countdown_ends_at=1,
            toc_pointers_first=False,
            lead_in_time_of_address=False,
            mode_change_head=0,
            pq16_crc_inverted=False,
            text=TEXT_STYLES["cdrdao"],
        ),
        "cdrecord": Style(
            p_lag=0,
            p_least=0,
            p_before_lead_out=0,
            p_wave=75,
            mcn_at=(100, 99),
            isrc_at=(100, 49),
            control_in_mode_2_3=False,
            lead_out_control_of="first",
            pregap_control_of="previous",
        ),
    }
)
