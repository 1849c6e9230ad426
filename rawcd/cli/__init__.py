"""The command `rawcd`: what a terminal sees.

Only click is imported before a command does its work, so that help, completion and usage
errors answer at once.
"""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from rawcd import __version__
from rawcd.cli.build import build
from rawcd.cli.burn import blank, burn, drives, eject, read
from rawcd.cli.completing import completion
from rawcd.cli.convert import convert
from rawcd.cli.diff import diff
from rawcd.cli.extract import extract
from rawcd.cli.identify import identify
from rawcd.cli.info import info
from rawcd.cli.listing import plugins
from rawcd.cli.manual import manual
from rawcd.cli.report import map_, report
from rawcd.cli.status import FAILED, INTERRUPTED, TERMINATED, USAGE
from rawcd.cli.terminal import one_line
from rawcd.cli.verify import verify
from rawcd.errors import RawCDError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

_EXAMPLES: Final = """\b
Examples:
  rawcd build album.cue -o album.raw
  rawcd info album.raw
  rawcd diff album.cue album.raw
  rawcd burn album.cue --drive /dev/sr0
"""
_SPELT_OUT: Final = "rawcd.spelt-out"


class _Stopped(BaseException):
    """A signal, raised where the work is, so that everything is cleaned up on the way out.

    For Ctrl-C, too: a KeyboardInterrupt that passes through an exec() (a module's, just being
    imported) makes the interpreter end by the signal, whatever status it was given.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _errors_of_click() -> Iterator[None]:
    """Turn our errors into click's before click sees them.

    click ends the process without a word on any OSError that says EPIPE, and a `StorageError`
    is one.
    """
    try:
        yield
    except RawCDError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:  # all others are ours: this one is a print of the command's
        raise click.ClickException(f"<stdout>: cannot write: {error.strerror}") from error


class _Group(click.Group):
    """All commands; what their work and their printing raises, click can tell."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _errors_of_click():  # --help and --version print here
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _errors_of_click():
            return super().invoke(ctx)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXAMPLES)
@click.version_option(__version__, prog_name="rawcd", message="%(prog)s %(version)s")
def rawcd() -> None:
    """Author raw CD images: tracks in, complete discs out.

    Results go to stdout, notes and errors to stderr. With --json one object is on stdout when
    the command was carried out (status 0 or 3); an error is the same line on stderr as without.

    Exit status: 0 done, 1 error, 2 usage, 3 defects or differences were found, 130 after
    Ctrl-C, 143 after SIGTERM.
    """


for _command in (
    blank,
    build,
    burn,
    completion,
    convert,
    diff,
    drives,
    eject,
    extract,
    identify,
    info,
    manual,
    map_,
    plugins,
    read,
    report,
    verify,
):
    rawcd.add_command(_command)


def _reopen_closed_streams() -> None:
    """Put something where a shell has closed stdout or stderr (`>&-`); Python has None there.

    What is printed on no stderr goes to stdout, into an image that is piped; and the next file
    that is opened would get the number of the stream. Messages are not missed; results would be,
    so writing to what stands for stdout fails.
    """
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _spelt_out(error: UnicodeError) -> tuple[str, int]:
    """Answer for characters that an encoding has not: as in JSON, so that objects stay objects."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end


def _let_stdout_take_any_text() -> None:
    """Spell out what stdout's encoding has not, instead of failing in the middle of a result.

    Pipes on Windows are in the code page of old, and names of files may be in no encoding.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        codecs.register_error(_SPELT_OUT, _spelt_out)
        sys.stdout.reconfigure(errors=_SPELT_OUT)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _Stopped(number)


def _say(message: str) -> None:
    """Print one line on stderr, whatever the message holds."""
    print(f"rawcd: {one_line(message)}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Args:
        argv: the arguments; None takes the process's own.
    """
    _reopen_closed_streams()
    _let_stdout_take_any_text()
    # numpy's linear algebra is never used; its thread pool would cost more than our start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    previous = {}
    for number in (signal.SIGTERM, signal.SIGINT):
        # A caller's own answer stays, and so does what a shell told us to ignore.
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            with suppress(ValueError):  # not the main thread: signals are the caller's business
                previous[number] = signal.signal(number, _stop)
    try:
        return _run(argv)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _run(argv: Sequence[str] | None) -> int:
    try:
        status = rawcd.main(args=argv, prog_name="rawcd", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        _say(error.format_message())
        return _failed()
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted; nothing was left behind")
        return INTERRUPTED
    except _Stopped as stop:
        # A burn leaves a disc behind, and says in a note what that is.
        left = "; ".join(getattr(stop, "__notes__", ())) or "nothing was left behind"
        if stop.number == signal.SIGTERM:
            _say(f"terminated; {left}")
            return TERMINATED
        _say(f"interrupted; {left}")
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("RAWCD_TRACEBACK"):
            raise
        _say(
            f"internal error: {type(error).__name__}: {error} "
            "(RAWCD_TRACEBACK=1 shows where; please report it)"
        )
        return _failed()
    return _flushed(status if isinstance(status, int) else 0)


def _flushed(status: int) -> int:
    """Return the status of a command whose last words have reached stdout, or an error's."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _say(f"<stdout>: cannot write: {error.strerror}")
        return _failed()
    return status


def _failed() -> int:
    """Return the status of an error, with a stdout that cannot complain once more at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)
    return FAILED
