"""The recomputation: every neuron passes it, and what a bound of one step lets through does not."""

import dataclasses

import numpy as np
import pytest
from checks import few
from datapaths import fitted, interpolated, made, wide
from faults.nodes import with_node_changed

from scneuro import LIF, AdEx, Input, Neuron, State
from scneuro.compiler.datapath import ARRAYS
from scneuro.errors import ScneuroError
from scneuro.load import make_neuron
from scneuro.neurons import builtins
from scneuro.sim.compare.canonical import Recomputation
from scneuro.sim.compare.decisions import at_decisions, words_in_turn
from scneuro.sim.compare.exact import disagreements
from scneuro.sim.compare.recompute import _one_sided, recompute
from scneuro.sim.compare.vectors import random_vectors


@pytest.mark.parametrize("rounding", ["nearest", "floor", "stochastic"])
@pytest.mark.parametrize("name", few(builtins(), lambda name: name != "hodgkin_huxley"))
def test_a_built_in_neuron_is_its_sums_rounded_once(name, rounding):
    result = recompute(make_neuron(name).fixed(rounding=rounding))
    assert result.ok, str(result)
    most = 0.55 if rounding == "nearest" else 1.05
    assert all(lsb <= most for lsb in result.largest.values())
    assert len(result.largest) + len(result.unjudged) == len(make_neuron(name).state_names)
    refined = name in ("hodgkin_huxley", "sc_conductance")  # their widths follow from a budget
    assert result.unjudged == (list(make_neuron(name).state_names) if refined else [])
    assert result.figures()["ok"] is True


def test_an_integer_that_is_off_by_one_lsb_is_seen():
    fixed = LIF().fixed()
    constant = max(
        (n for n in fixed.lowered.path.reachable() if n.op == "const"), key=lambda n: n.fraction
    )
    places = constant.fraction - fixed.lowered.registers["V"].fraction
    off = constant.meta + (1 << max(0, places))
    result = recompute(
        with_node_changed(fixed, constant.index, lambda n: {"meta": off, "low": off, "high": off})
    )
    assert any("is not its sum, rounded once" in failure for failure in result.failures)


class Halving(Neuron):
    """Its sum has one bit below its register: rounded to one side it is off by half an LSB."""

    V = State()
    I = Input()

    def update(self, V, I):
        return V >= 50.0, 0.5 * V + 0.25 * I


@pytest.mark.parametrize(
    ("model", "what"), [(AdEx, "is not its sum, rounded once"), (Halving, "rounded to one side")]
)
def test_rounding_to_one_side_is_seen(model, what):
    """However wide the bound of a step is."""
    neuron = model()
    assert recompute(neuron.fixed()).ok
    floor = neuron.fixed(rounding="floor")
    said = dataclasses.replace(floor.lowered, rounding="nearest")
    result = recompute(type(floor)("Biased", floor.dt, floor.input_defaults, said))
    assert any(failure.startswith("V ") and what in failure for failure in result.failures)


def test_a_comparison_one_lsb_off_is_seen():
    fixed = LIF().fixed()
    bound = fixed.lowered.decisions[0].node
    while bound.op != "ge":
        (bound,) = bound.args
    result = recompute(with_node_changed(fixed, bound.index, lambda n: {"meta": bound.meta + 1}))
    assert result.failures


def test_a_term_that_is_not_known_is_said_and_not_guessed():
    fixed = LIF().fixed()
    again = Recomputation(fixed, random_vectors(fixed, 3))
    with pytest.raises(ScneuroError, match="knows nothing of complex"):
        again.atom(1j)


# -- every value of the datapath -------------------------------------------------------------------
def exact(build, count=50):
    fixed = made(build)
    return fixed, disagreements(fixed, random_vectors(fixed, count))


def test_every_value_of_a_wide_datapath_is_the_exact_one():
    def build(path, V, I):
        a, b = wide(path, V, I), wide(path, V, I, -1)
        table = interpolated(path, V)
        chosen = path.mux(path.logic("and", path.ge(a, 3), path.ge(b, 4)), a, b)
        product = path.scale(path.mul(chosen, b), -1, 0)
        flag = path.logic("or", path.logic("not", path.ge(table, 0)), path.ge(a, 9))
        return flag, fitted(path, product)

    assert exact(build)[1] == []


def test_a_value_that_leaves_its_interval_is_named():
    def build(path, V, I):
        return path.ge(I, 0), path.within(path.add(V, I), -100, 100)

    (failure,) = exact(build)[1][:1]
    assert "leaves [-100, 100]" in failure


def test_a_shift_that_drops_more_than_it_says_is_named():
    def build(path, V, I):
        return path.ge(I, 0), path.shl(path.shr(V, 6, 2.0**-17), 6)

    _, failures = exact(build)
    assert len(failures) == 1
    assert "drops more than its error grows by" in failures[0]
    assert exact(lambda path, V, I: (path.ge(I, 0), path.shl(path.shr(V, 6, 2.0**-11), 6)))[1] == []


def test_a_sum_that_numpy_wraps_is_named():
    def build(path, V, I):
        big = path.mul(wide(path, V, I), path.scale(wide(path, V, I), 1, 0))
        wrapped = path.within(path._node("shl", (big,), 6, -5, 5, big.fraction, 0.0), -5, 5)
        return path.ge(I, 0), path.clamp(wrapped, -4, 4)

    assert any("is another integer in NumPy" in failure for failure in exact(build)[1])


def test_a_word_that_is_not_the_nearest_is_named():
    fixed = LIF().fixed()
    word = fixed.lowered.words["V"]
    while word.op != "shr":
        (word,) = word.args
    half = next(n for n in word.args[0].args if n.op == "const")
    broken = with_node_changed(fixed, half.index, lambda n: {"meta": 0, "low": 0, "high": 0})
    failures = disagreements(broken, random_vectors(broken, 50))
    assert any("the word of V is not its register" in failure for failure in failures)


def test_vectors_at_a_decision_are_one_step_of_an_input_apart():
    fixed = LIF().fixed()
    vectors = at_decisions(fixed, 10, seed=1)
    node = fixed.lowered.decisions[0].node
    decided = fixed.lowered.path.evaluator({"d": node}, ARRAYS)
    assert 0 < np.mean(decided(vectors)["d"]) < 1


def test_every_word_of_a_register_has_its_turn():
    fixed = LIF().fixed()
    r = fixed.lowered.registers["V"]
    words = np.unique(words_in_turn(fixed, 0)["V"] >> r.guard)
    assert len(words) >= (r.high >> r.guard) - (r.low >> r.guard)


def test_a_bias_between_the_ties_is_named_too():
    assert _one_sided(np.linspace(0.2, 0.6, 99)) == "by +0.40 LSB"
    assert _one_sided(np.full(100, 0.4)) == ""  # only a constant, which is rounded once
    assert _one_sided(np.array([-0.5, 0.1, -0.1])) == "ties go down"
    assert _one_sided(np.array([0.5, 0.1, -0.1])) == ""


class Split(Neuron):
    """Two sums with one coefficient, which each has in a significand of its own."""

    V = State()
    w = State()
    I = Input()

    def update(self, V, w, I):
        grows = 0.1 * V * w >= 1.949
        side = np.where(grows, 0.1 * V * w, 1.949)
        return (
            I >= 100.0,
            np.clip(V + 0.1 * w, -20.0, 20.0),
            np.clip(0.9 * w + 0.05 * side, -20, 20),
        )


class Cube(Neuron):
    """Rounds between its factors."""

    V = State()
    I = Input()

    def update(self, V, I):
        return V >= 3.0, np.clip(V - 0.01 * V * V * V + 0.1 * I, -4.0, 4.0)


@pytest.mark.parametrize(("model", "unjudged"), [(Split, "w"), (Cube, "V")])
def test_what_is_not_known_to_be_rounded_once_is_not_judged(model, unjudged):
    result = recompute(model().fixed())
    assert result.ok, str(result)
    assert unjudged in result.unjudged
    assert f"{unjudged} not judged" in str(result)
