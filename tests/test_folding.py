"""Folding: operations of different clocks share multipliers, and compute what they did alone."""

import importlib
from collections import Counter

import numpy as np
import pytest
from faults.gates import BusyStep, WrongClockStep

from scneuro import AdEx, Izhikevich, Population
from scneuro.compiler.pipeline.cells import pipeline
from scneuro.hdl import Form, Neuron, Step
from scneuro.load import make_neuron
from scneuro.sim import SimulatedNeuron, population_parity, vector_parity
from scneuro.sim.proof import prove

prover = importlib.import_module("scneuro.sim.proof.prove")

ONE = Form(stored=True, interval=8, multipliers=1)
LOGIC = Form(stored=True, interval=8, multipliers=0)
HELD = Form(held=True, interval=16, multipliers=1)
HELD_LOGIC = Form(held=True, interval=16, multipliers=0)
FORMS = {"one": ONE, "logic": LOGIC, "held": HELD, "held in logic": HELD_LOGIC}


def products(pipe):
    return [cell for cell in pipe.cells if cell.kind == "product"]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("name", ["adex", "conductance_lif"])
def test_what_shares_a_multiplier_is_the_model_bit_for_bit(name, form):
    fixed = make_neuron(name).fixed()
    step = Step(fixed.lowered, form)
    assert products(step.pipeline)
    found = vector_parity(fixed, 100, step=step, progress=False)
    assert found.ok, found.first


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_shares_a_multiplier_is_proved(form):
    result = prove(AdEx().fixed(), form, progress=False)
    assert result.ok, str(result)


@pytest.mark.slow
@pytest.mark.parametrize("interval", [2, 3, 8, 16])
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


@pytest.mark.parametrize("interval", [2, 3, 5, 8, 16])
@pytest.mark.parametrize("multipliers", [0, 1, 2, 5])
def test_no_multiplier_has_two_products_in_a_clock(interval, multipliers):
    lowered = make_neuron("conductance_lif").fixed().lowered
    pipe = pipeline(lowered, Form(stored=True, interval=interval, multipliers=multipliers))
    found = products(pipe)
    assert found
    clocks = Counter((cell.unit, pipe.enabled_in(cell)) for cell in found)
    assert set(clocks.values()) == {1}
    most = multipliers or -(-len(found) // interval)
    assert len(pipe.multipliers()) <= most
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
    lif = make_neuron("lif").fixed().lowered
    assert not products(pipeline(lif, HELD_LOGIC))


@pytest.mark.parametrize("form", [HELD, HELD_LOGIC], ids=["one", "logic"])
def test_a_single_neuron_whose_multiplications_share_runs_as_its_integers(form):
    neuron = AdEx()
    fixed = neuron.fixed()
    gates = SimulatedNeuron(lambda: Neuron(fixed, form), fixed)
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


# -- faults ----------------------------------------------------------------------------------------
FAULTS = [
    (BusyStep, Form(stored=True, interval=4, multipliers=2)),
    (WrongClockStep, ONE),
    (WrongClockStep, LOGIC),
    (WrongClockStep, HELD),
]


@pytest.mark.parametrize(("faulty", "form"), FAULTS)
def test_a_multiplier_that_is_given_to_another_is_caught(faulty, form, monkeypatch):
    monkeypatch.setattr(prover, "_counterexample", lambda *_: None)  # what is tried afterwards
    fixed = AdEx().fixed()
    assert not vector_parity(fixed, 20, step=faulty(fixed.lowered, form), progress=False).ok
    result = prove(fixed, form, step=faulty(fixed.lowered, form), progress=False)
    assert result.failures
