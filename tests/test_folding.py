"""Folding: operations of different clocks share multipliers, and compute what they did alone."""

import importlib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from checks import few, nightly
from faults.gates import BusyStep, WrongClockStep

from scneuro import AdEx, Input, Izhikevich, Neuron, Population, State
from scneuro.boards.area import least_cells
from scneuro.boards.devices import DEVICES
from scneuro.boards.memory import blocks, stored, stored_form
from scneuro.compiler.datapath import INTEGERS, Datapath
from scneuro.compiler.pipeline import expand
from scneuro.compiler.pipeline.cells import pipeline
from scneuro.compiler.pipeline.joined import Place, joined
from scneuro.hdl import Form, Step
from scneuro.hdl import Neuron as Gates
from scneuro.load import make_neuron
from scneuro.sim import SimulatedNeuron, population_parity, vector_parity
from scneuro.sim.proof import prove

prover = importlib.import_module("scneuro.sim.proof.prove")

ONE = Form(stored=True, interval=8, multipliers=1)
LOGIC = Form(stored=True, interval=8, multipliers=0)
HELD = Form(held=True, interval=16, multipliers=1)
HELD_LOGIC = Form(held=True, interval=16, multipliers=0)
FORMS = {"one": ONE, "logic": LOGIC, "held": HELD, "held in logic": HELD_LOGIC}
#: A neuron for each form that shares there.
CASES = {"one": "adex", "logic": "adex", "held": "adex", "held in logic": "izhikevich"}


def products(pipe):
    return [cell for cell in pipe.cells if cell.kind == "product"]


@pytest.mark.parametrize("case", FORMS)
@pytest.mark.parametrize("name", few((None, "conductance_lif"), lambda name: name is None))
def test_what_shares_a_multiplier_is_the_model_bit_for_bit(name, case):
    fixed = make_neuron(name or CASES[case]).fixed()
    step = Step(fixed.lowered, FORMS[case])
    assert products(step.pipeline)
    found = vector_parity(fixed, 100, step=step, progress=False)
    assert found.ok, found.first


@pytest.mark.parametrize("case", few(FORMS, lambda case: case == "held in logic"))
def test_what_shares_a_multiplier_is_proved(case):
    result = prove(make_neuron(CASES[case]).fixed(), FORMS[case], progress=False)
    assert result.ok, str(result)


@pytest.mark.slow
@pytest.mark.parametrize("interval", nightly((2, 3, 8, 16), lambda k: k in (2, 8)))
@pytest.mark.parametrize("multipliers", [0, 1, 8])
def test_a_conductance_neuron_is_proved_folded(interval, multipliers):
    form = Form(stored=True, interval=interval, multipliers=multipliers)
    result = prove(make_neuron("conductance_lif").fixed(), form, progress=False)
    assert result.ok, str(result)


@pytest.mark.slow
@pytest.mark.parametrize("multipliers", [0, 8])
def test_a_hodgkin_huxley_neuron_is_proved_folded(multipliers):
    form = Form(stored=True, interval=8, multipliers=multipliers, deep=2, complements=True)
    result = prove(make_neuron("hodgkin_huxley").fixed(), form, progress=False)
    assert result.ok, str(result)


@pytest.mark.parametrize("interval", [4, 5, 8, 16])
@pytest.mark.parametrize("multipliers", [0, 1, 2])
def test_no_multiplier_has_two_products_in_a_clock(interval, multipliers):
    lowered = make_neuron("conductance_lif").fixed().lowered
    pipe = pipeline(lowered, Form(stored=True, interval=interval, multipliers=multipliers))
    found = products(pipe)
    assert found
    clocks = Counter((cell.unit, pipe.enabled_in(cell)) for cell in found)
    assert set(clocks.values()) == {1}
    most = multipliers or -(-len(found) // interval)
    assert len(pipe.shared) <= most
    assert all(cell.node.op != "mul" for cell in pipe.cells if cell.kind == "result")


def test_what_a_multiplier_takes_is_what_it_has_room_for():
    for form in FORMS.values():
        for cell in products(pipeline(make_neuron("conductance_lif").fixed().lowered, form)):
            assert all(a.width + (not a.signed) <= 16 for a in cell.node.args)


def test_nothing_is_shared_where_each_has_a_multiplier_or_a_clock_of_its_own():
    lowered = AdEx().fixed().lowered
    for form in (
        Form(stored=True, interval=8),
        Form(stored=True, interval=8, multipliers=100),
        Form(stored=True, multipliers=1),
        Form(held=True, multipliers=0),
    ):
        assert not products(pipeline(lowered, form))
    few, many = (pipeline(lowered, Form(stored=True, interval=k, multipliers=1)) for k in (2, 16))
    assert len(products(few)) < len(products(many))


def test_a_multiplier_of_logic_is_made_only_where_it_saves_any():
    lowered = Izhikevich().fixed().lowered
    assert products(pipeline(lowered, HELD_LOGIC))
    lif = make_neuron("lif").fixed()
    assert not products(pipeline(lif.lowered, HELD_LOGIC))
    assert Gates(lif, HELD_LOGIC).form == Form(held=True, multipliers=0)
    assert Gates(Izhikevich().fixed(), HELD_LOGIC).form == HELD_LOGIC


@pytest.mark.parametrize("case", ["held", "held in logic"])
def test_a_single_neuron_whose_multiplications_share_runs_as_its_integers(case):
    neuron, form = make_neuron(CASES[case]), FORMS[case]
    fixed = neuron.fixed()
    assert Gates(fixed, form).form == form
    gates = SimulatedNeuron(lambda: Gates(fixed, form), fixed)
    words = np.full(60, neuron.currents[0])
    wanted = fixed.run(words, progress=False)
    found = gates.run(words, progress=False)
    assert np.array_equal(found.V, wanted.V)
    assert np.array_equal(found.spike, wanted.spike)


@pytest.mark.parametrize("multipliers", [0, 1, 2])
def test_a_folded_population_is_its_integers(multipliers):
    population = Population(AdEx(), 6, lanes=2, interval=4)
    form = Form(stored=True, interval=4, multipliers=multipliers)
    drive = np.random.default_rng(1).uniform(0, 2, (12, 6))
    found = population_parity(population, drive, form=form, engine="amaranth", progress=False)
    assert found.bit_exact, found.first


@pytest.mark.slow
@pytest.mark.nightly
def test_area_falls_as_the_interval_rises():
    counts = [least_cells(Population(AdEx(), 16, interval=k), "hx8k")["logic"] for k in (1, 4, 16)]
    assert counts[0] > 1.2 * counts[1], counts
    assert counts[1] > 1.05 * counts[2], counts


# -- tables ----------------------------------------------------------------------------------------
class TwoTables(Neuron):
    """Has two functions that become tables, one of fewer rows than its memory has."""

    V = State(init=0.0, range=(-6.0, 6.0))
    I = Input()

    def update(self, V, I):
        V = 0.5 * V + 0.3 * np.tanh(V) + 0.2 * np.exp(-V * V) + 0.01 * I
        return V >= 1.0, np.where(V >= 1.0, 0.0, V)


JOINT = Form(stored=True, interval=4, multipliers=1, joint=True)


def test_two_tables_in_one_memory_are_the_model_and_proved():
    fixed = TwoTables().fixed()
    step = Step(fixed.lowered, JOINT)
    rows = [cell for cell in step.pipeline.cells if cell.kind == "row"]
    assert len(rows) == 2
    assert len(step.pipeline.memories) == 1
    assert vector_parity(fixed, 100, step=step, progress=False).ok
    result = prove(fixed, JOINT, progress=False)
    assert result.ok, str(result)
    apart = pipeline(fixed.lowered, replace(JOINT, joint=False))
    assert len(apart.memories) == 2


def tables_of(path, name, low, high, bits):
    """A table of so many rows, read by an input's low bits."""
    address = path.low(path.input(name, low, high, 0), bits)
    return path.rom(address, tuple(hash((name, k)) % 1000 for k in range(1 << bits)), 0)


def test_a_table_goes_into_the_rows_that_another_leaves_and_is_read_there():
    path = Datapath()
    nodes = [
        tables_of(path, "large", -200, 100, 9),  # 301 of 512 rows
        tables_of(path, "small", 7, 107, 7),  # 101 of 128
        tables_of(path, "other", 0, 99, 7),  # 100
        tables_of(path, "least", -3, 60, 6),  # 64, and 10 are left
    ]
    places = joined(nodes, JOINT)
    assert set(places) == {node.index for node in nodes[:3]}
    assert len({place.contents for place in places.values()}) == 1
    assert len(places[nodes[0].index].contents) == 512
    for node, name in zip(nodes[:3], path.inputs, strict=False):
        again = places[node.index].read(path, path.inputs[name], 0)
        both = path.evaluator({"was": node, "is": again}, INTEGERS)
        for address in range(path.inputs[name].low, path.inputs[name].high + 1):
            found = both({name: address})
            assert found["was"] == found["is"]
    assert not joined(nodes, replace(JOINT, joint=False))


def test_a_memory_has_no_more_reads_than_the_interval_has_clocks():
    path = Datapath()
    nodes = [tables_of(path, name, 0, 40, 8) for name in ("a", "b", "c", "d", "e")]
    places = joined(nodes, replace(JOINT, interval=2))
    shared = Counter(place.contents for place in places.values())
    assert sorted(shared.values()) == [2, 2]


def test_two_tables_that_are_alone_share_a_memory_twice_as_deep():
    path = Datapath()
    nodes = [tables_of(path, name, 0, 200, 8) for name in ("one", "other")]
    places = joined(nodes, JOINT)
    assert {len(place.contents) for place in places.values()} == {512}
    assert len(places) == 2


@pytest.mark.slow
@pytest.mark.parametrize("device", ["up5k", "hx8k"])
def test_tables_share_memories_where_a_device_has_too_few(device):
    neuron, part = make_neuron("hodgkin_huxley"), DEVICES[device]
    neuron.budget = 1.2
    fixed = Population(neuron, 64, interval=8).fixed()
    form = stored_form(fixed, part)
    assert form.joint
    assert not form.single
    pipes = [pipeline(fixed.lowered, f) for f in (form, replace(form, joint=False))]
    rams = [sum(blocks(part.family, m) for m in stored(fixed, pipe)) for pipe in pipes]
    assert rams[0] <= part.rams < rams[1]
    assert not stored_form(Population(AdEx(), 64, interval=8).fixed(), part).joint


# -- faults ----------------------------------------------------------------------------------------
FAULTS = [
    pytest.param(BusyStep, Form(stored=True, interval=4, multipliers=2), marks=pytest.mark.slow),
    pytest.param(WrongClockStep, ONE, marks=pytest.mark.slow),
    (WrongClockStep, LOGIC),
    pytest.param(WrongClockStep, HELD, marks=pytest.mark.slow),
]


class Misplaced(Place):
    """A table that is read a row too far."""

    def read(self, path, address, fraction):
        return super().read(path, path.add(address, path.const(1, 0)), fraction)


@pytest.mark.slow
def test_a_table_that_is_read_where_it_is_not_is_caught(monkeypatch):
    monkeypatch.setattr(prover, "_counterexample", lambda *_: None)
    fixed = TwoTables().fixed()
    late = WrongClockStep(fixed.lowered, JOINT)
    assert any(c.kind == "row" and c.shared for c in late.pipeline.cells)
    assert not vector_parity(fixed, 20, step=late, progress=False).ok
    assert prove(fixed, JOINT, step=late, progress=False).failures

    def misplaced(nodes, form):
        return {k: Misplaced(p.contents, p.by) for k, p in joined(nodes, form).items()}

    monkeypatch.setattr(expand, "joined", misplaced)
    step = Step(fixed.lowered, JOINT)
    assert not vector_parity(fixed, 20, step=step, progress=False).ok
    failures = prove(fixed, JOINT, step=step, progress=False).failures
    assert any("and its adders differ" in failure for failure in failures)


@pytest.mark.parametrize(("faulty", "form"), FAULTS)
def test_a_multiplier_that_is_given_to_another_is_caught(faulty, form, monkeypatch):
    monkeypatch.setattr(prover, "_counterexample", lambda *_: None)  # what is tried afterwards
    fixed = AdEx().fixed()
    assert not vector_parity(fixed, 20, step=faulty(fixed.lowered, form), progress=False).ok
    result = prove(fixed, form, step=faulty(fixed.lowered, form), progress=False)
    assert result.failures
