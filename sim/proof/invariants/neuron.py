"""What is claimed of one neuron's registers and streams."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value

from ....fixed import FixedNeuron
from ....hdl import Neuron, Step
from .harness import Harness, implies, same
from .streams import Streams, draws, once, reset_draws, result

__all__ = ["neuron", "neuron_reset"]


def neuron(dut: Neuron, fixed: FixedNeuron) -> Harness:
    """The claims of a neuron's registers and streams, whatever its datapath computes."""
    at = _Around(dut, fixed, search=2 * dut.latency + 4)
    for claim in (result, once, _latency, _still, _registers_take, _draws, _range):
        claim(at)
    return at.h


def neuron_reset(dut: Neuron, fixed: FixedNeuron) -> Harness:
    """The claims of a neuron's registers at power-on and after a reset, whenever it comes."""
    at = _Around(dut, fixed, search=dut.latency + 4, reset=True)
    _reset(at)
    return at.h


class _Around(Streams):
    """A neuron, cut from what its datapath computes, and what the claims have in common."""

    def __init__(self, dut: Neuron, fixed: FixedNeuron, **options: Any) -> None:
        dut.step_type = of_any_result(dut.step_type)
        super().__init__(dut, fixed, **options)
        self.step = self.h.part("dut", "step")
        self.h.free(self.step.next, self.step.spike)
        self.count, self.last = self.h.register("count"), dut.latency - 1

    def within(self, view: Any) -> Value:
        """Every register is in the interval of what it can hold."""
        registers = self.lowered.registers.values()
        inside = [(view[r.name] >= r.low) & (view[r.name] <= r.high) for r in registers]
        return Cat(inside).all()


def of_any_result(step: type[Step]) -> type[Step]:
    """A Step whose next state and spike nothing drives, so that they may be anything."""

    class AnyResult(step):  # type: ignore[valid-type, misc]
        def drive(self, m: Module, port: Any, value: Value) -> None:
            pass

    return AnyResult


def _latency(at: _Around) -> None:
    h, i, o, last = at.h, at.i, at.o, at.last
    waited = Signal(range(last + 1))
    with h.m.If(at.accepted | ~i.valid):
        h.m.d.sync += waited.eq(0)
    with h.m.Elif(waited != last):
        h.m.d.sync += waited.eq(waited + 1)
    h.claim(
        "latency",
        f"an input is accepted {last} clocks after it came, or as soon as there is room for its "
        "result, which is there a clock later",
        i.ready == (i.valid & (waited == last) & (~o.valid | o.ready)),
        implies(h.was(at.accepted), o.valid),
        at.count <= last,
    )
    h.know(at.count == waited, implies(at.count != 0, h.was(i.valid & ~i.ready)))


def _still(at: _Around) -> None:
    h, i, step = at.h, at.i, at.step
    noise = step.noise if at.lowered.noise else Const(0, 0)
    reads = Cat(i.payload, at.dut.state, noise)
    still = Signal()
    age, before = Signal(range(step.latency + 1)), Signal(range(step.latency + 1))
    h.m.d.comb += still.eq(h.begun & h.was(i.valid) & i.valid & (reads == h.was(reads)))
    h.m.d.comb += age.eq(Mux(still, Mux(before == step.latency, before, before + 1), 0))
    h.m.d.sync += before.eq(age)
    h.claim(
        "still",
        f"all that the datapath reads has not changed for its {step.latency} clocks when an "
        "input is accepted",
        implies(i.ready, age == step.latency),
    )
    h.know(before <= step.latency, implies(i.valid, age >= at.count))


def _registers_take(at: _Around) -> None:
    h, dut, o, step = at.h, at.dut, at.o, at.step
    first = next(iter(at.lowered.registers))
    accepted = h.was(at.accepted)
    h.claim(
        "registers_take",
        "the state registers take the datapath's next state, and the result its spike, exactly "
        "when an input is accepted",
        implies(accepted, same(dut.state, h.was(step.next))),
        implies(accepted, same(o.payload.spike, h.was(step.spike))),
        implies(h.begun & ~accepted, same(dut.state, h.was(dut.state))),
        same(step.state, dut.state),
        same(step.inputs, at.i.payload),
        same(o.payload[first], step.words[first]),
    )


def _draws(at: _Around) -> None:
    generators = at.h.parts("dut", at.sources)
    if at.sources:
        draws(at, at.step.noise == Cat(generator.o for generator in generators))


def _range(at: _Around) -> None:
    at.h.assume(implies(at.accepted, at.within(at.step.next)))
    at.h.claim(
        "range",
        "the registers never leave the intervals that the next state keeps to",
        at.within(at.dut.state),
    )


def _reset(at: _Around) -> None:
    h = at.h
    fresh = ~h.begun | h.was(h.rst)
    states = at.lowered.registers.values()
    h.claim(
        "reset",
        "at power-on and after a reset the state registers hold their initial values",
        *(implies(fresh, at.dut.state[r.name] == r.init) for r in states),
    )
    h.claim(
        "reset_idle",
        "at power-on and after a reset no step is under way and no result waits",
        implies(fresh, ~at.o.valid & (at.count == 0)),
    )
    reset_draws(at)
