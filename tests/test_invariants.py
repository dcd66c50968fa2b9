"""What holds for ever around the datapath, and that hardware in which it does not is caught."""

from dataclasses import replace

import pytest
from checks import few
from datapaths import made
from faults.text import rewritten

from scneuro import LIF, NoisyLIF
from scneuro.hdl import LFSR, Neuron
from scneuro.hdl.link.samples import FrameWriter
from scneuro.hdl.top import Top, plan
from scneuro.hdl.uart import UARTReceiver, UARTTransmitter
from scneuro.sim.proof import invariants
from scneuro.sim.proof.invariants import check, solver, suite

CLOCKS = 4  # of a UART's bit
FEW = 2  # a counterexample is half as many clocks away
TICK = 20


def on_a_board(fixed, tick=TICK):
    """The rates of a board whose clock has so few cycles in a step that they can be tried."""
    return plan(fixed, 2, [256, 512], clock_hz=round(tick * 1000 / fixed.dt), baud=1000)


def harness(block, kind=None, fixed=None, reset=False, clocks=CLOCKS):
    """The harness of a block, around a class that may be a mutation of it."""
    kind = kind or block
    if reset:
        fixed = NoisyLIF().fixed(rounding="stochastic", seed=5)
        return invariants.neuron_reset(kind(fixed), fixed)
    if block is Top:
        fixed = LIF().fixed()
        return invariants.timebase(fixed, on_a_board(fixed), kind)
    if block is Neuron:
        fixed = fixed or NoisyLIF().fixed()
        return invariants.neuron(kind(fixed), fixed)
    if block is LFSR:
        return invariants.lfsr(kind(3), 3)
    if block is FrameWriter:
        return invariants.frame_writer(kind())
    name = "transmitter" if block is UARTTransmitter else "receiver"
    return getattr(invariants, name)(kind(clocks), clocks)


def small():
    """A neuron of so few bits and clocks that what goes wrong around them is found at once."""
    return made(lambda path, V, I: (path.ge(I, 0), path.clamp(path.add(V, I), -100, 100)))


def broken(results):
    """The claims for which there is a counterexample."""
    assert not any(r.ok for r in results)
    return {r.name.split(", ")[1] for r in results if r.counterexample}


BLOCKS = [Neuron, LFSR, UARTTransmitter, UARTReceiver, FrameWriter, Top]
slow = pytest.mark.slow


@pytest.mark.parametrize("block", few(BLOCKS, lambda block: block is not FrameWriter))
def test_the_claims_of_a_block_are_proved(block):
    results = check(harness(block))
    assert results
    assert all(r.ok and not r.counterexample for r in results), "\n".join(map(str, results))


def test_the_claims_of_a_reset_are_proved():
    results = check(harness(Neuron, reset=True))
    assert [r.name.split(", ")[1] for r in results] == ["reset", "reset_idle", "reset_draws"]
    assert all(r.ok for r in results), "\n".join(map(str, results))


@pytest.mark.parametrize(
    ("old", "new", "claim"),
    [
        # a state register keeps its value
        pytest.param(
            "name=name, init=r.init)",
            "name=name, init=r.init, reset_less=True)",
            "reset",
            marks=slow,
        ),
        # or begins with another
        ("name=name, init=r.init)", "name=name, init=r.init + 1)", "reset"),
        # the step that was under way goes on
        (
            "count = Signal(range(step.latency + 1))",
            "count = Signal(range(step.latency + 1), reset_less=True)",
            "reset_idle",
        ),
        # the draws are those of another seed
        pytest.param(
            "draws(m, self._fixed, ",
            "draws(m, FixedNeuron(*[getattr(self._fixed, n) for n in "
            "('name', 'dt', 'input_defaults', 'lowered')], seed=self._fixed.seed + 1), ",
            "reset_draws",
            marks=slow,
        ),
    ],
)
def test_a_mutation_of_the_reset_breaks_its_claim(old, new, claim):
    results = check(harness(Neuron, rewritten(Neuron, old, new), reset=True))
    assert claim in broken(results), "\n".join(map(str, results))


@pytest.mark.parametrize("off", few((-1, 1), lambda off: off > 0))
def test_a_tick_of_a_clock_too_few_or_too_many_breaks_its_claim(off):
    fixed = LIF().fixed()
    sound = on_a_board(fixed)
    assert sound.tick_clocks == TICK
    results = check(invariants.timebase(fixed, replace(sound, tick_clocks=TICK + off)))
    assert "tick" in broken(results)


def test_a_neuron_that_is_only_wires_keeps_its_claims():
    """Its next state is its state, which is not to be cut with it."""
    fixed = made(lambda path, V, I: (path.ge(I, -(1 << 15)), V))
    assert Neuron(fixed).latency == 1
    assert all(r.ok for r in check(invariants.neuron(Neuron(fixed), fixed)))


def test_a_counterexample_is_a_table_of_the_last_clocks(tmp_path):
    trace = tmp_path / "trace.vcd"
    trace.write_text(
        "$timescale 1 ns $end\n$scope module top $end\n"
        "$var wire 4 ! left $end\n$var wire 1 # valid $end\n$var wire 1 % was_valid $end\n"
        "$scope module dut $end\n$var wire 4 & inner $end\n$upscope $end\n$upscope $end\n"
        "$enddefinitions $end\n#0\nb1010 !\n0#\n1%\nb1 &\n#5\n#10\n1#\n#15\n#20\nb1x !\n"
    )
    assert solver._table(trace).split("\n") == [
        f"{'left':24s}      a      a      2",
        f"{'valid':24s}      0      1      1",
    ]
    assert solver._table(tmp_path / "none.vcd") == ""


def test_a_boards_tick_is_among_what_is_proved_if_its_rates_are_given(monkeypatch):
    """And the neuron's reset always is."""
    monkeypatch.setattr(solver, "check", lambda harness: [*harness.claims])
    monkeypatch.setattr(solver, "_checked", lambda _: [])
    fixed = LIF().fixed()
    without, given = (
        {getattr(found, "name", found) for found in suite.prove_invariants(fixed, **of)}
        for of in ({"progress": False}, {"plan": on_a_board(fixed), "progress": False})
    )
    assert {"reset", "reset_idle", "result"} <= without
    assert given - without == {"tick", "held"}


MUTATIONS = [
    # a tick too short by a clock
    (Top, "timer.eq(plan.tick_clocks - 1)", "timer.eq(plan.tick_clocks - 2)", "tick"),
    # the input changes while the neuron computes
    pytest.param(Top, "payload[first].eq(given)", "payload[first].eq(timer)", "held", marks=slow),
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
    pytest.param(
        Neuron,
        "draws(m, self._fixed, self.i.ready)",
        "draws(m, self._fixed, 1)",
        "draws",
        marks=slow,
    ),
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
    pytest.param(UARTReceiver, "with m.If(rx):", "with m.If(rx & ~broken):", "idle", marks=slow),
    pytest.param(UARTReceiver, "with m.If(self.o.ready):", "with m.If(1):", "result", marks=slow),
    pytest.param(
        FrameWriter, "left.eq(FRAME_BYTES)", "left.eq(FRAME_BYTES - 1)", "frame", marks=slow
    ),
    pytest.param(FrameWriter, "self.o.valid & self.o.ready", "self.o.valid", "result", marks=slow),
]


@pytest.mark.parametrize(("block", "old", "new", "claim"), MUTATIONS)
def test_a_mutation_of_the_hardware_breaks_a_claim(block, old, new, claim):
    fixed = None
    if block is Neuron and claim != "draws":
        fixed = LIF().fixed() if claim == "range" else small()
    results = check(harness(block, rewritten(block, old, new), fixed, clocks=FEW))
    assert claim in broken(results), "\n".join(map(str, results))
