"""What the driver talks through: a serial port, or whatever behaves like one."""

from __future__ import annotations

import errno
import os
import time
from typing import Any

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
        self.name, self.baud, self._trouble = name, baud, serial.SerialException
        alone = {"exclusive": True} if os.name == "posix" and "://" not in name else {}
        try:
            self._line: Any = serial.serial_for_url(
                name, baudrate=baud, timeout=0, write_timeout=_WRITTEN, **alone
            )
        except (OSError, ValueError) as error:
            raise _not_opened(name, error) from None

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
        return LinkError(
            f"{self.name}: the board is gone: {error}",
            "plug it in and connect again: what it holds is as it was, unless it had no power",
        )


_INSTALL = 'pip install "scneuro[board]"'


def _not_opened(name: str, error: OSError | ValueError) -> LinkError:
    number = getattr(error, "errno", None)
    why, hint = str(error), "name a serial port, such as /dev/ttyUSB1, COM3, or socket://host:port"
    if number == errno.ENOENT or "FileNotFoundError" in why:
        why, hint = "there is no such port", _there()
    elif number in (errno.EACCES, errno.EPERM) or "PermissionError" in why:
        why = "you may not open it, or another program has it"
        hint = "on Linux: sudo usermod -aG dialout $USER, and log in again"
    elif number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in why:
        why, hint = "another program has it open", "close that first"
    elif name.startswith("socket://"):
        why = "nobody listens there" if "refused" in why else why
        hint = "start one: scneuro board NEURON --board BOARD --tcp PORT"
    return LinkError(f"cannot open {name}: {why}", hint)


def _there() -> str:
    """What ports this machine has."""
    from serial.tools.list_ports import comports

    ports = [port.device for port in comports()]
    return f"there are {', '.join(ports)}" if ports else "no serial port is plugged in"


def open_port(port: str | os.PathLike[str] | Port, baud: int) -> Port:
    """A port by its name or URL; one that is open already stays as it is."""
    return port if isinstance(port, Port) else SerialPort(os.fspath(port), baud)
