"""The virtual recorder as a device of other programs: the shim, and the server behind it."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rawcd.errors import DriveError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd_writers.drive.virtual import VirtualRecorder

SOURCE = Path(__file__).with_name("recorder_shim.c")
DEVICE = "/dev/sr0"
_REQUEST = struct.Struct("=4I")
_ANSWER = struct.Struct("=5I")
_NO_CONNECT = 1
"""Host status of a device that does not answer."""
SECONDS = 120


def needs(*tools: str) -> pytest.MarkDecorator:
    missing = [tool for tool in ("cc", *tools) if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)}: not installed")


@functools.cache
def shim() -> Path:
    """Build the shim, once."""
    folder = Path(tempfile.mkdtemp(prefix="rawcd-shim-"))
    library = folder / "recorder_shim.so"
    options = ("-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror")
    subprocess.run(["cc", *options, "-o", library, SOURCE, "-ldl"], check=True, timeout=SECONDS)
    return library


class Server:
    """Gives the recorder the commands that come through a unix socket.

    Attributes:
        log: every command with its status and sense, in order.
    """

    def __init__(self, drive: VirtualRecorder, path: Path) -> None:
        self._drive = drive
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self.log: list[tuple[bytes, int, bytes]] = []
        self.failures: list[Exception] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as wire:
            while head := wire.read(_REQUEST.size):
                length, out, data_in, timeout = _REQUEST.unpack(head)
                cdb, data_out = wire.read(length), wire.read(out)
                host = residual = 0
                try:
                    with self._lock:
                        answer = self._drive.execute(
                            cdb, data_out=data_out, data_in=data_in, timeout=timeout / 1000
                        )
                        self.log.append((cdb, answer.status, answer.sense))
                    status, data, sense = answer.status, answer.data, answer.sense
                    residual = answer.residual
                except DriveError:
                    status, data, sense, host = 0, b"", b"", _NO_CONNECT
                except Exception as failure:
                    self.failures.append(failure)
                    return
                parts = _ANSWER.pack(status, len(data), len(sense), residual, host), data, sense
                connection.sendall(b"".join(parts))

    def close(self) -> None:
        self._socket.close()


@contextmanager
def served(drive: VirtualRecorder) -> Iterator[tuple[Server, dict[str, str]]]:
    """Serve a recorder; yields the server and the environment of a burner."""
    with tempfile.TemporaryDirectory(prefix="rawcd-burner-") as folder:
        path = Path(folder) / "socket"
        server = Server(drive, path)
        environment = {
            **os.environ,
            "LD_PRELOAD": str(shim()),
            "RECORDER_SHIM_DEVICE": DEVICE,
            "RECORDER_SHIM_SOCKET": str(path),
            "LC_ALL": "C",
            "HOME": folder,  # no settings of the user's
        }
        try:
            yield server, environment
        finally:
            server.close()


def burn(drive: VirtualRecorder, *command: str | Path, folder: Path) -> Server:
    """Let a burner burn; it must succeed."""
    with served(drive) as (server, environment):
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
        )
    said = done.stdout + done.stderr
    why = "\n".join(drive.complaints)
    assert not server.failures, server.failures
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{said}\n{why}"
    return server
