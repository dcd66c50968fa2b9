"""What holds for ever around a population, and that gates in which it does not are caught."""

import numpy as np
import pytest
from amaranth import Signal
from checks import faults
from claims import Leak, broken, names
from faults.text import rewritten

from scneuro import LIF, NoisyLIF, Population
from scneuro.hdl import Form
from scneuro.hdl import population as hardware
from scneuro.hdl.population import Population as Gates
from scneuro.hdl.queue import Queue
from scneuro.hdl.sums import Sums
from scneuro.sim.proof import invariants
from scneuro.sim.proof.invariants import check, solver
from scneuro.sim.proof.invariants import population as claims
from scneuro.sim.proof.invariants.population import suite

slow = pytest.mark.slow
SINGLE = Form(interval=2, stored=True, single=True, deep=2)


def leaks(count, lanes=1, interval=1, neuron=Leak):
    return Population(neuron(), count, lanes=lanes, interval=interval).fixed()


PARTS = {
    "rows": ["once", "done", "mixed", "states"],
    "inputs": ["inputs", "inputs_apart", "inputs_taken", "ready"],
    "spikes": ["queued", "left_out", "queue", "sent", "stream"],
    "progress": ["goes_on"],
    "reset": ["reset", "reset_idle"],
}


@pytest.mark.parametrize(
    "part",
    [pytest.param(p, marks=slow if p in ("inputs", "spikes", "progress") else ()) for p in PARTS],
)
def test_the_claims_of_a_population_are_proved(part):
    fixed = leaks(3, 2)
    results = check(getattr(claims, part)(Gates(fixed, suite.form_of(fixed)), fixed))
    assert names(results) == PARTS[part]
    assert all(r.ok for r in results), "\n".join(map(str, results))


@slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("count", "lanes", "interval"),
    [(7, 4, 3)],
)
def test_they_are_of_many_shapes(part, count, lanes, interval):
    """Steps that overlap and that do not, lanes left out, rows held, up to the longest interval."""
    fixed = leaks(count, lanes, interval)
    results = check(getattr(claims, part)(Gates(fixed, suite.form_of(fixed)), fixed))
    assert all(r.ok for r in results), "\n".join(map(str, results))


@pytest.mark.parametrize("part", [pytest.param("rows"), pytest.param("reset", marks=slow)])
def test_memories_of_one_port_have_their_claims_too(part):
    fixed = leaks(3, 1, 2)
    results = check(getattr(claims, part)(Gates(fixed, SINGLE), fixed))
    assert names(results) == PARTS[part]
    assert all(r.ok for r in results), "\n".join(map(str, results))


@pytest.mark.parametrize(
    "part", [pytest.param(p, marks=slow if p != "reset" else ()) for p in PARTS]
)
def test_where_clocks_are_short_the_same_is_claimed(part):
    """With a register behind every memory, of rows that are held, too."""
    for fixed in (leaks(3, 2), leaks(5, 2, 3)):
        form = suite.form_of(fixed, short=True)
        results = check(getattr(claims, part)(Gates(fixed, form), fixed))
        assert all(r.ok for r in results), "\n".join(map(str, results))


@pytest.mark.parametrize(
    ("part", "block", "old", "new", "claim"),
    [
        # a state is read a clock late
        ("rows", Gates, "before = stage - 1 - self.form.first", "before = stage - 1", "states"),
        # what is read of an input is of the other bank
        pytest.param(
            "inputs", Sums, "of_bank.eq(shown)", "of_bank.eq(~shown)", "inputs", marks=slow
        ),
        # what a queue offers goes on though it is not taken
        pytest.param("spikes", Queue, "with m.If(taken):", "with m.If(1):", "stream", marks=slow),
    ],
)
def test_a_fault_where_clocks_are_short_breaks_a_claim(monkeypatch, part, block, old, new, claim):
    fixed = leaks(1 if part == "inputs" else 3)
    dut = gates(monkeypatch, block, old, new, fixed, suite.form_of(fixed, short=True))
    results = check(getattr(claims, part)(dut, fixed))
    assert claim in broken(results), "\n".join(map(str, results))


@slow
def test_draws_are_claimed_of_what_draws():
    fixed = leaks(2, 1, 3, NoisyLIF)
    results = check(claims.rows(Gates(fixed, suite.form_of(fixed)), fixed))
    assert "draws" in names(results)
    assert all(r.ok for r in results), "\n".join(map(str, results))


@slow
def test_all_claims_of_a_population_are_proved():
    results = invariants.prove_population(Population(Leak(), 100, lanes=2), progress=False)
    assert len(results) > 70
    assert all(r.ok for r in results), "\n".join(map(str, results))


def test_what_is_proved_is_of_the_populations_own_neuron(monkeypatch):
    """A few of its kind, with its initial states and parameters."""
    monkeypatch.setattr(solver, "check", lambda harness: [harness])
    taus = np.linspace(10.0, 30.0, 7)
    population = Population(LIF(), 7, init={"V": -70 + np.arange(7.0)}, parameters={"tau_m": taus})
    harnesses = invariants.prove_population(population, progress=False)
    assert {harness.name.split(", ")[0] for harness in harnesses} > {"1 LIF", "3 LIF", "5 LIF"}
    made = suite.small(population, 5, 2, 3)
    assert (made.population.lanes, made.population.interval) == (2, 3)
    assert np.array_equal(made.population.start["V"], -70 + np.arange(5.0))
    assert np.array_equal(made.population.start["tau_m"], taus[:5])
    overlapping = Gates(suite.small(population, None, 1, 3))
    assert (
        overlapping.clocks_a_step == 3 * overlapping.rows + 1
    )  # a step begins when all rows have entered


def test_what_is_no_population_is_refused():
    with pytest.raises(TypeError, match="prove_population"):
        invariants.prove_population(LIF(), progress=False)


def gates(monkeypatch, block, old, new, fixed, form=None):
    """A population's hardware with a piece of the source of one of its blocks replaced."""
    monkeypatch.setattr(hardware, "_QUEUE", 1)  # so short that it is soon full
    made = rewritten(block, old, new)
    if block is Gates:
        return made(fixed, form or suite.form_of(fixed))
    monkeypatch.setattr(hardware, block.__name__, made)
    return Gates(fixed, form or suite.form_of(fixed))


FAULTS = [
    # a row is numbered beyond the last
    (
        "rows",
        hardware._Live,
        "last.eq(row == self._rows - 1)",
        "last.eq(row == self._rows)",
        "mixed",
    ),
    # a step begins while the one before is under way
    ("rows", Gates, "self._begun == self._over", "Const(1)", "mixed"),
    # a step is over when a row is
    (
        "rows",
        Gates,
        "live.at(self._last) & live.is_last(self._last)",
        "live.at(self._last)",
        "done",
    ),
    # a state is written a clock late
    ("rows", Gates, "step.next[name], live.at(at)", "step.next[name], live.at(at + 1)", "states"),
    # the clear of a bank is left out
    ("inputs", Sums, "write.en.eq(clear | ", "write.en.eq(", "inputs"),
    # the bank is not switched
    ("inputs", Gates, "read_bank.eq(~read_bank)", "read_bank.eq(read_bank)", "inputs"),
    # a tick is taken while a word is on its way to its sum
    ("inputs", Gates, "~running & drained & self._free", "~running & drained", "inputs"),
    # a bank adds up while it is read
    ("inputs", Gates, "~self.done & (~settled | ", "0 & (~settled | ", "inputs"),
    # words for the same row overtake each other
    (
        "inputs",
        Gates,
        "settled & ~same & ~self._started",
        "settled & ~self._started",
        "inputs_apart",
    ),
    # a sum does not stop at its limit
    ("inputs", Sums, "limited[lane].eq(_limited(total))", "limited[lane].eq(total)", "inputs"),
    # spikes of lanes that have no neuron
    ("spikes", Gates, "if left_out:", "if False:", "left_out"),
    # the end of a step is not queued
    ("spikes", Gates, "(spikes.any() | last)", "spikes.any()", "queued"),
    # rows enter for which there is no room
    ("spikes", Gates, "running & room & phase", "running & phase", "queue"),
    # there is room until it is full
    ("spikes", Queue, "~level[self._margin.bit_length() - 1 :].all()", "~level.all()", "queue"),
    # a word is fetched before the one before is taken
    ("spikes", Queue, "(~gives | taken)", "1", "stream"),
    # a row is over after its first spike
    ("spikes", Gates, "queued.ready.eq(go & ~several)", "queued.ready.eq(go)", "sent"),
    # rows are counted, not steps
    ("spikes", Gates, "step.eq(step + last)", "step.eq(step + 1)", "sent"),
    # there is room only when nothing is offered, and spikes are not taken unless there is room
    ("progress", Queue, "(level != 0) & ", "(level == self._depth - 1) & ", "goes_on"),
    # a register lives on
    (
        "reset",
        Gates,
        "step = Signal(_STEP_BITS)",
        "step = Signal(_STEP_BITS, reset_less=True)",
        "reset",
    ),
]


#: Neurons and lanes in which a fault shows soonest, where it is not three rows.
SIZES = dict.fromkeys((old for part, _, old, *_ in FAULTS if part == "inputs"), (1, 1))
SIZES["(level != 0) & "] = (3, 1)
SIZES["~self.done & (~settled | "] = (2, 1, 3)


def narrow(harness, dut, part, old):
    """Search for a counterexample deeper, but only where it is to be expected.

    An assumption only leaves clocks out, so what breaks with it breaks without.
    """
    if part == "inputs":  # what is accepted is claimed exactly; here, what becomes of it
        task = harness.task
        exact = "delete top/ready__* top/inputs_taken__*\nprep"
        harness.task = lambda mode: task(mode).replace("prep", exact)
    if "clear |" in old:  # words of 1, and steps at once
        harness.assume(dut.i.payload.I.as_value() == 1)
        harness.assume(dut.tick == ~dut.i.valid)
    elif "~settled" in old:  # two words of 1 for the last row, at any times
        clock, when = Signal(6), [harness.constant(6, f"when_{k}") for k in range(2)]
        harness.m.d.sync += clock.eq(clock + 1)
        harness.assume(dut.i.valid == ((clock == when[0]) | (clock == when[1])))
        harness.assume(dut.i.payload.I.as_value() == 1)
        harness.assume((dut.i.payload.row == 1) & dut.tick & dut.o.ready)
    elif part == "progress" or claim_of(old) == "queue":  # all spike, and either all or none leave
        harness.assume(dut.tick & ~dut.i.valid & (dut.o.ready == (part == "progress")))
        for step in dut._steps:
            harness.assume(step.spike)
        harness.search = 80


def claim_of(old):
    return next(claim for _, _, piece, _, claim in FAULTS if piece == old)


#: The quickest of each part.
KEPT = "step = Signal(_STEP_BITS)"
QUICK = [
    "self._begun == self._over",
    "settled & ~same & ~self._started",
    "if left_out:",
    KEPT,
]


@pytest.mark.parametrize(
    ("part", "block", "old", "new", "claim"),
    faults(
        FAULTS,
        lambda fault: fault[2] in QUICK,
        ["~self.done & (~settled | "],
        lambda fault: fault[2] == KEPT,
    ),
)
def test_a_fault_of_the_gates_breaks_a_claim(monkeypatch, part, block, old, new, claim):
    fixed = leaks(*SIZES.get(old, (5, 2)))
    dut = gates(monkeypatch, block, old, new, fixed)
    harness = getattr(claims, part)(dut, fixed)
    narrow(harness, dut, part, old)
    results = check(harness)
    assert claim in broken(results), "\n".join(map(str, results))


@slow
@pytest.mark.parametrize(
    ("part", "neuron", "old", "new", "claim"),
    [
        # the draws go on at every clock
        ("rows", NoisyLIF, "lfsr.en.eq(self._live.at(", "lfsr.en.eq(1 | self._live.at(", "draws"),
        # a row is read, and held, a clock too long
        ("rows", Leak, "read.en.eq(self._reads(stage)[0])", "read.en.eq(1)", "states"),
    ],
)
def test_a_fault_where_rows_are_held_breaks_a_claim(monkeypatch, part, neuron, old, new, claim):
    fixed = leaks(2, 1, 3, neuron)
    dut = gates(monkeypatch, Gates, old, new, fixed)
    results = check(getattr(claims, part)(dut, fixed))
    assert claim in broken(results), "\n".join(map(str, results))


@slow
@pytest.mark.parametrize(
    ("part", "old", "new", "claim"),
    [
        # the last row is not swept
        ("rows", "self._swept == self.rows - 1", "self._swept == self.rows - 2", "states"),
        # a step begins before the sweep is over
        ("inputs", "self._free & ~self._sweeping", "self._free", "ready"),
    ],
)
def test_a_fault_of_the_sweep_breaks_a_claim(monkeypatch, part, old, new, claim):
    fixed = leaks(3, 1, 2)
    dut = gates(monkeypatch, Gates, old, new, fixed, SINGLE)
    results = check(getattr(claims, part)(dut, fixed))
    assert claim in broken(results), "\n".join(map(str, results))
