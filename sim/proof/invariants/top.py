"""What is claimed of a board's clock: the neuron lives in real time."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring

from ....fixed import FixedNeuron
from ....hdl import signature
from ....hdl.top import Plan, Top
from .harness import Harness, implies

__all__ = ["timebase"]


class _AnyNeuron(wiring.Component):  # type: ignore[misc]
    """A neuron's ports, with anything at any clock on those it drives."""

    i: Any
    o: Any
    state: Any

    def __init__(self, fixed: FixedNeuron) -> None:
        super().__init__(signature(fixed.lowered))

    def elaborate(self, platform: object) -> Module:
        return Module()


def timebase(fixed: FixedNeuron, plan: Plan, top: type[Top] = Top) -> Harness:
    """The claim of a board's tick, whatever the neuron does.

    Parameters
    ----------
    fixed : FixedNeuron
    plan : Plan
    top : type
        The design, if not :class:`~scneuro.hdl.top.Top`.
    """
    period = round(plan.clock_hz * fixed.dt / 1000)
    dut = _AnyNeuron(fixed)
    h = Harness(f"{fixed.name} on a board", dut=top(dut, fixed, plan), search=period + 4)
    h.free(dut.i.ready, dut.o.valid, dut.o.payload, dut.state)
    phase = Signal(range(period))  # clocks since the last tick
    tick = phase == 0
    h.m.d.sync += phase.eq(phase + 1)
    with h.m.If(phase == period - 1):
        h.m.d.sync += phase.eq(0)
    i, timer = dut.i, h.register("timer")
    waits = h.was(i.valid & ~i.ready)
    h.claim(
        "tick",
        f"an input comes every {period:,} clocks, which at {plan.clock_hz / 1e6:g} MHz are "
        f"{fixed.dt:g} ms, and waits until it is accepted",
        i.valid == (h.was(tick) | waits),
    )
    given = i.payload.as_value()
    h.claim(
        "held",
        "the input does not change while it waits, unless the next one comes",
        implies(waits & ~h.was(tick), given == h.was(given)),
    )
    h.know(phase <= period - 1, timer == Mux(tick, 0, period - phase))
    return h
