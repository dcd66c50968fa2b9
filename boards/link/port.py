"""What the driver talks through: a serial port, or whatever behaves like one."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from ...errors import ScneuroError

__all__ = ["LinkError", "Port", "SerialPort", "open_port"]

_AT_ONCE = 4096  # bytes
_WRITTEN = 2.0  # s


class LinkError(ScneuroError):
    """The link to a board does not work, or no longer."""


class Port:
    """A line that carries bytes in both directions.

    Attributes
    ----------
    name : str
        What errors call it.
    baud : int
    delay : float
        Seconds that bytes may be late, besides their time on the line.
    """

    name: str
    baud: int
    delay: float = 0.0

    def write(self, content: bytes) -> None:
        """Send bytes.

        Raises
        ------
        LinkError
            The other side is gone.
        """
        raise NotImplementedError

    def read(self, timeout: float) -> bytes:
        """What has come: at least a byte, or none after ``timeout`` seconds.

        Raises
        ------
        LinkError
            The other side is gone.
        """
        raise NotImplementedError

    def now(self) -> float:
        """Seconds on the clock that time-outs are of."""
        return time.monotonic()

    def close(self) -> None:
        """Let go of it; a second time does nothing."""


class SerialPort(Port):
    """A serial port, or a URL that pyserial knows: ``socket://host:number``.

    Parameters
    ----------
    name : str
    baud : int

    Raises
    ------
    LinkError
        It cannot be opened; the message says what is in the way.
    ScneuroError
        pyserial is missing.
    """

    delay = 0.05  # a USB adapter passes on every 16 ms what it has, and systems have their moods

    def __init__(self, name: str, baud: int) -> None:
        try:
            import serial
        except ImportError:
            raise ScneuroError("a serial port needs pyserial", _INSTALL) from None
        _check_name(name, serial.protocol_handler_packages)
        self.name, self.baud = name, baud
        alone = {"exclusive": True} if os.name == "posix" and "://" not in name else {}
        try:
            self._line: Any = serial.serial_for_url(
                name, baudrate=baud, timeout=0, write_timeout=_WRITTEN, **alone
            )
        except (OSError, ValueError) as error:
            raise _not_opened(name, baud, error) from None

    def write(self, content: bytes) -> None:
        try:
            self._line.write(content)
        except (OSError, TypeError) as error:  # a port that was closed has no number any more
            raise self._gone(error) from None

    def read(self, timeout: float) -> bytes:
        try:
            self._line.timeout = timeout
            first: bytes = self._line.read(1)
            if not first:
                return b""
            self._line.timeout = 0
            rest: bytes = self._line.read(_AT_ONCE)
            return first + rest
        except (OSError, TypeError) as error:
            raise self._gone(error) from None

    def close(self) -> None:
        behind = getattr(self._line, "_socket", None)  # which pyserial leaves open if it was reset
        self._line.close()
        if behind is not None:
            behind.close()

    def _gone(self, error: BaseException) -> LinkError:
        if not self._line.is_open:
            return LinkError(f"{self.name}: this port was closed", "connect again")
        number = _number(error)
        said = f": {os.strerror(number).lower()}" if number > 0 else ""
        hint = "plug it in and connect again: what it holds is as it was, unless it had no power"
        if "://" in self.name:
            hint = "is it still there, and does no other program talk to it? it takes one at a time"
        return LinkError(f"{self.name}: the board is gone{said}", hint)


_INSTALL = 'pip install "scneuro[board]"'


_NAMES = "name a serial port, such as /dev/ttyUSB1 or COM3, or a socket, socket://localhost:4000"
_SOCKETS = ("socket", "rfc2217")


def _check_name(name: str, packages: Sequence[str]) -> None:
    """Refuse what cannot be the name of a port; ``packages`` have the kinds of URLs."""
    kind, is_url, _ = name.partition("://")
    if not name.strip():
        raise LinkError("a port is said by its name, and this one is empty", _NAMES)
    if not is_url:
        return
    kind = kind.lower()
    if not kind.isidentifier() or not any(find_spec(f"{p}.protocol_{kind}") for p in packages):
        raise LinkError(f"cannot open {name}: {kind}:// is no kind of port", _NAMES)
    if kind not in _SOCKETS:
        return
    try:
        parts = urlsplit(name)
        there = parts.hostname, parts.port
    except ValueError:
        there = None, None
    if not all(there):
        raise LinkError(
            f"cannot open {name}: a socket has a host and a number from 1 to 65,535",
            f"write {kind}://HOST:NUMBER, such as {kind}://localhost:4000",
        )


def _number(error: BaseException) -> int:
    """The system's number of an error, which pyserial may have only in its text; else 0.

    Below 0 are those of names of hosts.
    """
    number = getattr(error, "errno", None)
    found = re.search(r"\[Errno (-?\d+)\]|^\D*\((\d+), ", str(error))
    return number or (int(found[1] or found[2]) if found else 0)


def _not_opened(name: str, baud: int, error: OSError | ValueError) -> LinkError:
    number, why, hint = _number(error), str(error), _NAMES
    if number == errno.ENOENT or "FileNotFoundError" in why:
        why, hint = "there is no such port", _there()
        if bare := re.fullmatch(r"(?:([\w.-]+):)?(\d+)", name):
            hint = f"did you mean socket://{bare[1] or 'localhost'}:{bare[2]}?"
    elif "baud" in why:
        why, hint = f"it cannot have {baud:,} baud", "a board says its rate when it is built"
    elif number in (errno.EACCES, errno.EPERM) or "PermissionError" in why:
        why = "you may not open it, or another program has it"
        hint = "on Linux: sudo usermod -aG dialout $USER, and log in again"
    elif number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in why:
        why, hint = "another program has it open", "close that first"
    elif number in (errno.ENOTTY, errno.EISDIR, errno.EINVAL):
        why = "it is no serial port"
    elif name.startswith("socket://"):
        hint = "start one: scneuro board NEURON --board BOARD --tcp PORT"
        if number == errno.ECONNREFUSED or "refused" in why:
            why = "nobody listens there"
        elif number < 0:
            why, hint = "there is no such host", f"of this machine, it is {_here(name)}"
        else:
            why = os.strerror(number).lower() if number else "nobody answers there"
    elif number > 0:
        why = os.strerror(number).lower()
    return LinkError(f"cannot open {name}: {why}", hint)


def _here(name: str) -> str:
    return f"socket://localhost:{urlsplit(name).port}"


def _there() -> str:
    """What ports this machine has."""
    from serial.tools.list_ports import comports

    ports = [port.device for port in comports()]
    return f"there are {', '.join(ports)}" if ports else "no serial port is plugged in"


def open_port(port: str | os.PathLike[str] | Port, baud: int) -> Port:
    """A port by its name or URL; one that is open already stays as it is.

    Raises
    ------
    TypeError
        It is neither.
    LinkError, ScneuroError
        As for :class:`SerialPort`.
    """
    if isinstance(port, Port):
        return port
    if not isinstance(port, str | os.PathLike):
        raise TypeError(
            "a port is its name, such as /dev/ttyUSB1, COM3 or socket://localhost:4000, or a Port, "
            f"such as SimulatedPort(board), not {port!r}"
        )
    return SerialPort(os.fspath(port), baud)
