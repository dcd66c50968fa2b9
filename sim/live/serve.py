"""A simulated board behind a line of the system: a pseudo-terminal, or a socket."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from ...errors import ScneuroError

if TYPE_CHECKING:
    from .board import SimulatedBoard

__all__ = ["ADDRESS", "Line", "PseudoTerminal", "Served", "Socket", "listening", "serve", "served"]

#: The address of this machine, for itself alone.
ADDRESS = "127.0.0.1"

_AT_ONCE = 4096  # bytes
_SLICE = 2_000  # clocks between two looks at the line
_TELLS, _LAGS = 2.0, 0.1  # s


class Line(Protocol):
    """Carries bytes to and from whoever opens it; who does may come and go.

    Attributes
    ----------
    port : str
        What a driver opens.
    """

    port: str

    def read(self) -> bytes:
        """What has come; it does not wait."""

    def write(self, content: bytes) -> None:
        """Send bytes; where nobody listens they are lost."""

    def close(self) -> None: ...


class PseudoTerminal:
    """A pseudo-terminal, which programs open as a serial port.

    Raises
    ------
    ScneuroError
        The system has none.
    """

    def __init__(self) -> None:
        try:
            import tty

            self._own, self._theirs = os.openpty()
        except (ImportError, AttributeError, OSError) as error:
            raise ScneuroError(
                f"this system has no pseudo-terminals: {error}", "use a socket: --tcp PORT"
            ) from None
        tty.setraw(self._theirs)  # it stays open, so that the line does while nobody is there
        os.set_blocking(self._own, False)
        self.port = os.ttyname(self._theirs)

    def read(self) -> bytes:
        with suppress(BlockingIOError):
            return os.read(self._own, _AT_ONCE)
        return b""

    def write(self, content: bytes) -> None:
        with suppress(BlockingIOError):
            os.write(self._own, content)

    def close(self) -> None:
        os.close(self._own)
        os.close(self._theirs)


def listening(number: int, to: str) -> socket.socket:
    """A socket that listens to this machine alone, at a number or, for 0, any that is free.

    Raises
    ------
    ScneuroError
        It is taken, or none; the message says ``to`` what it should have been.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ADDRESS, number))
        made.listen()
    except (OSError, OverflowError) as error:
        made.close()
        why = getattr(error, "strerror", None) or "there is no such number"
        raise ScneuroError(
            f"cannot {to} port {number}: {why}",
            "choose another one, 1024 to 65535, or 0 for any that is free",
        ) from None
    return made


class Socket:
    """A socket of this machine, which ``socket://localhost:number`` opens; one client at a time.

    Parameters
    ----------
    number : int
        0 for any that is free.

    Raises
    ------
    ScneuroError
        It is taken.
    """

    def __init__(self, number: int = 0) -> None:
        self._listener = listening(number, "listen on")
        self._client: socket.socket | None = None
        self.port = f"socket://localhost:{self._listener.getsockname()[1]}"

    def read(self) -> bytes:
        waiting = [self._listener] if self._client is None else [self._listener, self._client]
        ready, _, _ = select.select(waiting, [], [], 0)
        content = b""
        if self._client is not None and self._client in ready:
            with suppress(OSError):
                content = self._client.recv(_AT_ONCE)
            if not content:
                self._leave()
        if self._listener in ready:
            client, _ = self._listener.accept()
            if self._client is not None:
                client.close()  # it has one
            else:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._client = client
        return content

    def write(self, content: bytes) -> None:
        if self._client is not None:
            try:
                self._client.sendall(content)
            except OSError:
                self._leave()

    def close(self) -> None:
        self._leave()
        self._listener.close()

    def _leave(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


class Served:
    """What a board has done since it is served.

    Attributes
    ----------
    seconds : float
    clocks : int
    """

    def __init__(self, board: SimulatedBoard) -> None:
        self._board, self._begin, self._before = board, time.monotonic(), board.clocks

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begin

    @property
    def clocks(self) -> int:
        return self._board.clocks - self._before

    @property
    def speed(self) -> float:
        """Clocks a second."""
        return self.clocks / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        share = self.speed / self._board.clock_hz
        times = f"{share:.2g} times the board's" if share < 10 else f"{share:.0f} times the board's"
        return f"{self.speed / 1e6:.2f} million clocks a second, {times}"


def serve(
    board: SimulatedBoard,
    line: Line,
    *,
    real_time: bool = False,
    ended: threading.Event | None = None,
    tell: Callable[[Served], None] | None = None,
) -> None:
    """Let a board run, and whoever opens its line talk to it.

    Parameters
    ----------
    board : SimulatedBoard
    line : Line
    real_time : bool
        No faster than the board.
    ended : Event, optional
        It runs until this is set, or for ever.
    tell : callable, optional
        Is told every two seconds how fast it was in these.
    """
    paced, told = Served(board), Served(board)
    while ended is None or not ended.is_set():
        if real_time:
            ahead = paced.clocks / board.clock_hz - paced.seconds
            if ahead > 0:
                time.sleep(ahead)
            elif ahead < -_LAGS:  # it cannot keep up, and does not hurry later on
                paced = Served(board)
        end, given = board.clocks + _SLICE, line.read()
        while board.clocks < end:
            if sent := board.exchange(given, end - board.clocks):
                line.write(sent)
            given = b""
        if tell is not None and told.seconds > _TELLS:
            tell(told)
            told = Served(board)


@contextmanager
def served(board: SimulatedBoard, line: Line, *, real_time: bool = False) -> Iterator[str]:
    """The port of a board that a thread of its own serves meanwhile."""
    ended = threading.Event()
    options = {"real_time": real_time, "ended": ended}
    thread = threading.Thread(target=serve, args=(board, line), kwargs=options, daemon=True)
    thread.start()
    try:
        yield line.port
    finally:
        ended.set()
        thread.join()
        line.close()
