"""A board's compiled design, UART and all, and the port that a driver in this process has to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...boards.link.port import LinkError, Port
from ...hdl.uart import divisor
from ..engines.compiled import LINE, Compiled, compile_hardware

__all__ = ["SimulatedBoard", "SimulatedPort"]

_AT_ONCE = 1_000_000  # clocks in a call, so that Ctrl-C has its turn
_DELAY = 8192  # clocks; 120 words take the chip some 5,000 to make a reply of


class SimulatedBoard:
    """The design of a board as it runs, clock by clock, with a UART on its pins.

    What it holds stays as long as it lives, whoever talks to it.

    Parameters
    ----------
    top : Component
        With the pins of a board; not used where ``library`` is given.
    clock_hz, baud : int
        As the design has them.
    library : path, optional
        The design, compiled already.

    Attributes
    ----------
    clocks : int
        That have passed.
    led, late : bool
        The board's LEDs.
    broken : int
        Bytes without a stop bit that it sent.

    Raises
    ------
    ToolError
        There is no C++ compiler.
    """

    def __init__(self, top: Any, *, clock_hz: int, baud: int, library: Path | None = None) -> None:
        self.clock_hz, self.baud = clock_hz, baud
        self._divisor = divisor(clock_hz, baud)
        self._design = Compiled(library or compile_hardware(top))
        self._line = np.zeros(LINE, dtype=np.int32)
        self._waiting = b""
        self.led = self.late = False
        self.broken = 0

    @property
    def clocks(self) -> int:
        return self._design.clocks

    def exchange(self, given: bytes, clocks: int) -> bytes:
        """Put bytes on its ``rx`` behind those that wait, and run.

        Returns
        -------
        bytes
            What left it: as soon as bytes have and none follows at once; none if ``clocks`` have
            passed.
        """
        self._waiting += given
        done = self._design.uart(self._waiting, clocks, self._divisor, self._line)
        self._waiting = self._waiting[done.taken :]
        self.led, self.late = done.led, done.late
        self.broken += done.broken
        return done.sent


class SimulatedPort(Port):
    """The port of a simulated board, for a driver in the same process.

    Its time is the board's: it passes while the driver waits, and time-outs are of it.

    Parameters
    ----------
    board : SimulatedBoard
    """

    name = "simulated"

    def __init__(self, board: SimulatedBoard) -> None:
        self.board, self.baud = board, board.baud
        self.delay = _DELAY / board.clock_hz
        self._written = b""
        self._open = True

    def close(self) -> None:
        self._open = False

    def write(self, content: bytes) -> None:
        if not self._open:
            raise LinkError(f"{self.name}: this port was closed", "connect again")
        self._written += content

    def read(self, timeout: float) -> bytes:
        board = self.board
        end = board.clocks + max(1, round(timeout * board.clock_hz))
        while board.clocks < end:
            given, self._written = self._written, b""
            if sent := board.exchange(given, min(_AT_ONCE, end - board.clocks)):
                return sent
        return b""

    def now(self) -> float:
        return self.board.clocks / self.board.clock_hz
