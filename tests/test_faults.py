"""Planted faults are caught by the rung that is for them, and a sound neuron passes every rung."""

import functools

import pytest
from checks import few
from faults.equivalence import same_function
from faults.fault import NEURONS
from faults.levels import level_2, level_3
from faults.nodes import with_node_changed
from faults.trial import faults_of, try_fault

from scneuro.load import make_neuron
from scneuro.sim import vector_parity
from scneuro.sim.compare.canonical import Recomputation
from scneuro.sim.compare.decisions import at_decisions, words_in_turn
from scneuro.sim.compare.recompute import recompute
from scneuro.sim.proof import invariants, prove

# elaborated only as far as the rung that catches a fault
pytestmark = [
    pytest.mark.compiler,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SAMPLE = [
    ("lif", "node", "branches swapped", "step"),
    ("lif", "node", "bound + 1", "recompute"),
    ("noisy_lif", "rule", "rounding half missing", "recompute"),
    ("adex", "rule", "40 guard bits", "error"),
    ("izhikevich", "cell", "bound + 1", "ties"),
    ("adex", "stage", "register too many", "bits"),
    ("lif", "text", "$sub becomes $add", "bits"),
    ("noisy_lif", "neuron", "tap of the LFSR", "bits"),
]


all_faults_of = functools.cache(faults_of)


def fault(neuron, layer, operator):
    return next(f for f in all_faults_of(neuron) if (f.layer, f.operator) == (layer, operator))


# those that a compiler and a proof have to look at
LONG = ("text", "neuron")


@pytest.mark.parametrize(
    ("neuron", "layer", "operator", "rung"), few(SAMPLE, lambda fault: fault[1] not in LONG)
)
def test_a_planted_fault_is_caught_by_the_rung_for_it(neuron, layer, operator, rung):
    verdict = try_fault(fault(neuron, layer, operator))
    assert verdict.first == rung, str(verdict)
    if layer in ("cell", "stage", "text", "neuron"):
        assert verdict.caught["proof"], str(verdict)


@pytest.mark.parametrize("name", few(NEURONS, lambda name: name in ("lif", "izhikevich")))
def test_a_sound_neuron_passes_every_rung(name):
    neuron = make_neuron(name)
    fixed = neuron.fixed()
    assert level_2(fixed)
    assert level_3(neuron, fixed)
    assert recompute(fixed).ok
    assert all(claim.ok for claim in invariants.resets(fixed))
    ties = at_decisions(fixed, 20, seed=1)
    assert vector_parity(fixed, vectors=ties, progress=False).ok
    assert prove(fixed, progress=False).ok


def test_the_integers_of_a_sound_neuron_are_its_sums_rounded_once():
    """However wide the bound of one step is: Izhikevich's is 193 LSB of V's register."""
    fixed = make_neuron("izhikevich").fixed()
    again = Recomputation(fixed, words_in_turn(fixed, 0))
    assert all(abs(error).max() < 0.625 for _, error in again.errors())


def test_a_node_that_is_another_but_computes_the_same_is_told_from_one_that_does_not():
    fixed = make_neuron("izhikevich").fixed()
    square = next(n.index for n in fixed.lowered.path.reachable() if n.op == "mul")
    bound = next(n.index for n in fixed.lowered.path.reachable() if n.op == "ge")
    same = with_node_changed(fixed, square, "factors swapped")
    other = with_node_changed(fixed, bound, "bound + 1")
    assert same_function(fixed, same)
    assert not same_function(fixed, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", NEURONS)
def test_every_fault_is_caught_or_shown_to_be_none(name):
    faults = faults_of(name, seed=1)[::12]
    verdicts = [try_fault(f) for f in faults]
    holes = [str(v) for v in verdicts if not v.ok]
    assert not holes, "\n".join(holes)
