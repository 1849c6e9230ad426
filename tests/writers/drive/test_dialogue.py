"""Asking a drive: each way in which it may answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rawcd.errors import DriveError
from rawcd_writers.drive import mmc
from rawcd_writers.drive.dialogue import Dialogue
from rawcd_writers.drive.transport import Answer
from rawcd_writers.drive.virtual import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd_writers.drive.command import Command


def sense(key: int, asc: int, ascq: int) -> Answer:
    return Answer(status=2, data=b"", sense=bytes([0x72, key, asc, ascq, 0, 0, 0, 0]))


def status(value: int, data: bytes = b"", residual: int = 0) -> Answer:
    return Answer(status=value, data=data, sense=b"", residual=residual)


class Script:
    """A drive that answers from a list, and then with the last for ever."""

    name, max_bytes = "script", 63_648

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.clock = Clock()

    def execute(self, cdb: bytes, **more: Any) -> Answer:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None:
        """There is nothing to let go of."""


def ask(*answers: Answer, command: Command[Any] | None = None, **more: Any) -> tuple[Any, int]:
    drive = Script(answers)
    reply = Dialogue(drive).ask(command or mmc.test_unit_ready(), **more)
    return reply, drive.asked


def refusal(*answers: Answer, command: Command[Any] | None = None, **more: Any) -> DriveError:
    with pytest.raises(DriveError) as caught:
        ask(*answers, command=command, **more)
    return caught.value


def test_busy_in_every_form_is_waited_for() -> None:
    busy = [status(8), status(0x28), sense(2, 4, 1), sense(2, 4, 4), sense(2, 4, 7), sense(2, 4, 8)]
    assert ask(*busy, status(0)) == (None, 7)


@pytest.mark.parametrize("answer", [status(8), sense(2, 4, 8)], ids=["status", "sense"])
def test_patience_ends_and_pauses_grow(answer: Answer) -> None:
    drive = Script([answer])
    with pytest.raises(DriveError, match="stayed busy"):
        Dialogue(drive).ask(mmc.test_unit_ready(), patience=60)
    assert 60 <= drive.clock.now() < 62
    assert 60 < drive.asked < 80


def test_while_it_waits_somebody_may_stop_it() -> None:
    drive = Script([sense(2, 4, 8)])
    dialogue = Dialogue(drive)

    def stop() -> None:
        raise ZeroDivisionError

    dialogue.while_waiting = stop
    with pytest.raises(ZeroDivisionError):
        dialogue.ask(mmc.test_unit_ready())
    assert drive.asked == 1


def test_a_change_of_state_is_asked_about_again_but_not_for_ever() -> None:
    assert ask(sense(6, 0x29, 0), sense(6, 0x28, 0), status(0)) == (None, 3)
    assert refusal(sense(6, 0x28, 0)).sense == (6, 0x28, 0)
    assert refusal(sense(6, 0x28, 0), status(0), after_change=False).sense == (6, 0x28, 0)


def test_reservation_and_silence_are_told() -> None:
    assert "reserved" in str(refusal(status(0x18)))
    assert "does not say why (status 0x40)" in str(refusal(status(0x40)))
    assert "does not say why (status 0x02)" in str(refusal(status(2)))


def test_an_error_names_command_address_and_meaning() -> None:
    error = refusal(sense(5, 0x21, 2), command=mmc.write(-150, 26, bytes(26)))
    assert (error.command, error.lba, error.sense) == ("WRITE(10)", -150, (5, 0x21, 2))
    assert str(error).startswith("script: WRITE(10) at LBA -150: 05/21/02 (")


def test_a_write_that_was_taken_in_part_is_an_error() -> None:
    error = refusal(status(0, residual=10), command=mmc.write(0, 1, bytes(100)))
    assert "took 90 of 100 bytes" in str(error)


def test_a_reply_that_cannot_be_read_is_the_drives_fault() -> None:
    error = refusal(status(0, b"\0"), command=mmc.read_disc_information())
    assert "the reply cannot be read" in str(error)


def test_what_a_drive_lacks_is_no_error_where_that_was_the_question() -> None:
    for answer in (sense(5, 0x20, 0), sense(5, 0x24, 0), sense(5, 0x26, 0)):
        assert not Dialogue(Script([answer])).can(mmc.send_opc())
        assert Dialogue(Script([answer])).reply_or_none(mmc.read_atip()) is None
    assert Dialogue(Script([status(0)])).can(mmc.send_opc())
    assert Dialogue(Script([sense(2, 0x3A, 1)])).reply_or_none(mmc.read_atip()) is None
    with pytest.raises(DriveError):
        Dialogue(Script([sense(4, 8, 0)])).can(mmc.send_opc())
