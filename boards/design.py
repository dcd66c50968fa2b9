"""A board's design with its pins: the platform-free top, and the resources it is wired to."""

from __future__ import annotations

from typing import Any

from amaranth import Elaboratable, Module, Signal
from amaranth.lib import io

from ..fixed import FixedNeuron
from ..hdl import build
from ..hdl.top import Plan, Top, plan
from ..neuron import Neuron
from ..words import quantize
from .table import Board

__all__ = ["Pins", "design"]


def design(neuron: Neuron, fixed: FixedNeuron, board: Board) -> tuple[Any, Plan]:
    """The neuron's hardware for a board, and the rates it runs at there.

    Raises
    ------
    LoweringError
        If the neuron cannot run in real time on the board's clock.
    """
    hardware = build(neuron, fixed, board.form)
    words = [int(w) for w in quantize(neuron.currents, f"{neuron.name}: currents")]
    latency = getattr(hardware, "latency", 1)
    return hardware, plan(fixed, latency, words, clock_hz=board.clock_hz)


class Pins(Elaboratable):
    """The top with a board's pins."""

    def __init__(self, hardware: Any, fixed: FixedNeuron, plan: Plan, board: Board) -> None:
        self._top = Top(hardware, fixed, plan)
        self._board = board

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.top = top = self._top
        uart = platform.request("uart", 0, dir="-")
        self._input(m, "rx", uart.rx, top.rx)
        self._output(m, "tx", uart.tx, top.tx)
        self._output(m, "led", platform.request("led", 0, dir="-"), top.led)
        self._output(m, "late", platform.request("led", 1, dir="-"), top.late)
        if self._board.button is not None:
            button = platform.request(*self._board.button, dir="-")
            self._input(m, "button", button, top.button)
        return m

    def _input(self, m: Module, name: str, port: Any, signal: Signal) -> None:
        m.submodules[f"pin_{name}"] = buffer = io.Buffer("i", port)
        m.d.comb += signal.eq(buffer.i)

    def _output(self, m: Module, name: str, port: Any, signal: Signal) -> None:
        m.submodules[f"pin_{name}"] = buffer = io.Buffer("o", port)
        m.d.comb += buffer.o.eq(signal)
