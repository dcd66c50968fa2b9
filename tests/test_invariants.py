"""What holds for ever around the datapath, and that hardware in which it does not is caught."""

import inspect
import sys

import pytest

from scneuro import NoisyLIF
from scneuro.hdl import LFSR, Neuron
from scneuro.hdl.link import FrameWriter
from scneuro.hdl.uart import UARTReceiver, UARTTransmitter
from scneuro.sim.proof import invariants
from scneuro.sim.proof.invariants import check

CLOCKS = 4


def mutated(block, old, new):
    """The class of a block, with a piece of its source replaced."""
    source = inspect.getsource(block)
    assert source.count(old) == 1, f"{block.__name__} has no single {old!r} any more"
    namespace = dict(vars(sys.modules[block.__module__]))
    exec(source.replace(old, new), namespace)
    return namespace[block.__name__]


def harness(block, made=None, fixed=None):
    """The harness of a block, around a class that may be a mutation of it."""
    made = made or block
    if block is Neuron:
        fixed = fixed or NoisyLIF().fixed()
        return invariants.neuron(made(fixed), fixed)
    if block is LFSR:
        return invariants.lfsr(made(3), 3)
    if block is FrameWriter:
        return invariants.frame_writer(made())
    name = "transmitter" if block is UARTTransmitter else "receiver"
    return getattr(invariants, name)(made(CLOCKS), CLOCKS)


def broken(results):
    """The claims for which there is a counterexample."""
    assert not any(r.ok for r in results)
    return {r.name.split(", ")[1] for r in results if r.counterexample}


BLOCKS = [Neuron, LFSR, UARTTransmitter, UARTReceiver, FrameWriter]
slow = pytest.mark.slow


@pytest.mark.parametrize("block", BLOCKS)
def test_the_claims_of_a_block_are_proved(block):
    results = check(harness(block))
    assert results
    assert all(r.ok and not r.counterexample for r in results), "\n".join(map(str, results))


MUTATIONS = [
    # a result is dropped before it is taken
    (Neuron, "with m.If(self.o.ready):", "with m.If(1):", "result"),
    # the counter is too short, by one
    (Neuron, "count == step.latency", "count == step.latency - 1", "still"),
    pytest.param(Neuron, "[count.eq(0)", "[count.eq(1)", "still", marks=slow),
    # the registers change while the step is computed
    pytest.param(
        Neuron,
        "with m.If(self.i.ready):\n                m.d.sync += register",
        "with m.If(self.i.valid):\n                m.d.sync += register",
        "registers_take",
        marks=slow,
    ),
    # they wrap
    pytest.param(
        Neuron,
        "register.eq(step.next[name])",
        "register.eq(step.next[name] - 1)",
        "range",
        marks=slow,
    ),
    # noise runs on
    pytest.param(Neuron, "lfsr.en.eq(self.i.ready)", "lfsr.en.eq(1)", "draws", marks=slow),
    (LFSR, "Sequence.TAP : Sequence.TAP + Sequence.DRAW", "12:28", "recurrence"),
    pytest.param(LFSR, "with m.If(self.en):", "with m.If(1):", "recurrence", marks=slow),
    pytest.param(LFSR, "] ^ now", "] & now", "recurrence", marks=slow),
    # the transmitter never ends
    (UARTTransmitter, "left.eq(left - 1)", "left.eq(left)", "ready"),
    pytest.param(UARTTransmitter, "left.eq(10)", "left.eq(9)", "ready", marks=slow),
    pytest.param(
        UARTTransmitter, ", self.i.payload)", ", self.i.payload[::-1])", "line", marks=slow
    ),
    # the receiver samples at the edges
    pytest.param(
        UARTReceiver,
        "timer.eq(self._clocks + self._clocks // 2 - 1)",
        "timer.eq(self._clocks - 1)",
        "byte",
        marks=slow,
    ),
    # a broken byte comes out
    pytest.param(
        UARTReceiver, "self.o.valid.eq(~broken)", "self.o.valid.eq(1)", "byte", marks=slow
    ),
    # after a broken byte, it is dead
    (UARTReceiver, "with m.If(rx):", "with m.If(rx & ~broken):", "idle"),
    pytest.param(UARTReceiver, "with m.If(self.o.ready):", "with m.If(1):", "result", marks=slow),
    pytest.param(
        FrameWriter, "left.eq(FRAME_BYTES)", "left.eq(FRAME_BYTES - 1)", "frame", marks=slow
    ),
    (FrameWriter, "self.o.valid & self.o.ready", "self.o.valid", "result"),
]


@pytest.mark.parametrize(("block", "old", "new", "claim"), MUTATIONS)
def test_a_mutation_of_the_hardware_breaks_a_claim(block, old, new, claim):
    results = check(harness(block, mutated(block, old, new)))
    assert claim in broken(results), "\n".join(map(str, results))
