"""Tables of sums, limits of choices, and what branches tell of ranges."""

import numpy as np
import pytest
from checks import check_one_step
from hypothesis import given, settings
from hypothesis import strategies as st

from scneuro import ConductanceLIF, Input, Neuron, SCAdExNeuron, State
from scneuro.compiler.algebra.terms import Lookup
from scneuro.words import fitting


def neuron_of(function, *, g_range=(0.0, 8.0)):
    """A neuron with V' = f(V, g, h, I), and g and h within ``g_range``."""

    class Mine(Neuron):
        V = State()
        g = State(range=g_range)
        h = State(range=g_range)
        I = Input()

        def update(self, V, g, h, I):
            V_next = function(V, g, h, I)
            return V_next >= 100.0, V_next, 0.9 * g + 0.1 * I, 0.8 * h - 0.1 * I

    return Mine()


def tables(function, **options):
    return neuron_of(function, **options).fixed().lowered.tables


def share(x):
    return np.expm1(-x) / x


ONE_TABLE = {
    "a quotient": lambda V, g, h, I: share(0.05 * (g + h + 1)),
    "multiples": lambda V, g, h, I: np.exp(-0.1 * (g + h)) * np.exp(0.3 * h + 0.3 * g),
    "a multiple apart": lambda V, g, h, I: np.tanh(g + h) * np.exp(-(h + g) / 7),
    "an opposite": lambda V, g, h, I: np.exp(-(g + h)) * np.tanh(0.5 * (g + h)),
    "composed": lambda V, g, h, I: np.exp(-np.tanh(g - h)),
    "composed with numbers": lambda V, g, h, I: 3 * np.log(2 + np.exp(-0.2 * (g + h)) * 5),
    "composed twice": lambda V, g, h, I: np.tanh(np.sqrt(1 + np.exp(g - h) / 9)),
    "a reciprocal of a table": lambda V, g, h, I: 1 / (1 + np.exp(-(g - h))),
}


@pytest.mark.parametrize("name", ONE_TABLE)
def test_functions_of_one_sum_are_one_table(name):
    assert len(tables(lambda V, g, h, I: 0.5 * V + ONE_TABLE[name](V, g, h, I))) == 1


@pytest.mark.parametrize("name", ONE_TABLE)
def test_a_table_of_a_sum_is_numpys_function_within_its_bound(name):
    neuron = neuron_of(lambda V, g, h, I: 0.5 * V + ONE_TABLE[name](V, g, h, I))
    assert check_one_step(neuron) > 0.99
    assert neuron.fixed().lowered.bounds["V"] < 0.02


def test_functions_of_different_sums_are_different_tables():
    assert len(tables(lambda V, g, h, I: np.tanh(g + h) * np.exp(-0.1 * (g + 2 * h)))) == 2
    assert len(tables(lambda V, g, h, I: np.tanh(g + h) + np.tanh(g + h + 1))) == 2
    assert len(tables(lambda V, g, h, I: np.tanh(g + h) + np.tanh(-2 * (h + g)))) == 2


def test_the_conductance_lif_has_one_table():
    lowered = ConductanceLIF().fixed().lowered
    assert len(lowered.tables) == 1
    lookups = {
        factor.of
        for update in lowered.updates.values()
        for leaf in update.leaves
        for atom, _ in leaf.terms
        for factor, _ in getattr(atom, "factors", ((atom, 1),))
        if isinstance(factor, Lookup)
    }
    assert len(lookups) == 1


# -- choices --------------------------------------------------------------------------------------
CHOICES = {
    "a limit of a choice": lambda V, g, h, I: np.clip(np.where(g > h, 3 * V, V + I), 0.0, 1.0),
    "a limit of a limit": lambda V, g, h, I: np.clip(np.clip(V + I, -2.0, 5.0), 0.0, 9.0),
    "a limit of nested choices": lambda V, g, h, I: np.clip(
        np.where(g > h, np.where(I > 3, 2 * V, V - 1), np.where(V > 2, I, 7.0)), -4.0, 60.0
    ),
    "a maximum of a choice": lambda V, g, h, I: np.maximum(np.where(g > h, V, -V) + 0.5, 1.0),
    "a minimum of two choices": lambda V, g, h, I: np.minimum(
        np.where(g > h, V, I), np.where(I > 3, g, 5.0)
    ),
    "a product with a limited value": lambda V, g, h, I: np.clip(V, -1.0, 1.0) * np.maximum(g, h),
    "a limit times a number, limited": lambda V, g, h, I: np.clip(
        5 - 3 * np.maximum(V + I, 0.0), -20.0, 2.0
    ),
    "reset, then limited": lambda V, g, h, I: np.clip(
        np.where(V + I >= 30, -5.0, V + I), 0.0, 50.0
    ),
}


@pytest.mark.parametrize("name", CHOICES)
def test_a_limited_choice_is_numpys(name):
    neuron = neuron_of(CHOICES[name])
    assert check_one_step(neuron, 4000) > 0.95


@pytest.mark.parametrize("rounding", ["floor", "stochastic"])
def test_a_limited_choice_is_numpys_however_it_is_rounded(rounding):
    neuron = neuron_of(CHOICES["a limit of nested choices"])
    assert check_one_step(neuron, 4000, rounding=rounding) > 0.95


def limited(seed, depth):
    """A random nest of clip, where, maximum and minimum."""
    rng = np.random.default_rng(seed)

    def make(depth):
        a, b, c, d = rng.integers(-12, 13, 4) / 4

        def line(V, g, h, I):
            return a * V + b * g + c * I + d

        if depth == 0:
            return line
        kind = rng.integers(4)
        yes, no = make(depth - 1), make(depth - 1)
        low, high = np.sort(rng.uniform(-30, 30, 2))
        return [
            lambda *x: np.clip(yes(*x), low, high),
            lambda *x: np.where(line(*x) > 0, yes(*x), no(*x)),
            lambda *x: np.maximum(yes(*x), no(*x)),
            lambda *x: np.minimum(yes(*x), low),
        ][kind]

    inner = make(depth)
    return lambda *x: np.clip(inner(*x), -100.0, 100.0)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_any_nest_of_limits_and_choices_is_numpys(seed, depth):
    check_one_step(neuron_of(limited(seed, depth)), 500, seed=seed)


# -- ranges ---------------------------------------------------------------------------------------
def reach(neuron, name, **options):
    r = neuron.fixed(**options).lowered.registers[name]
    return r.to_real(r.low), r.to_real(r.high)


def test_the_tutorials_adex_reaches_0_to_its_peak():
    low, high = reach(SCAdExNeuron(), "V")
    assert low == pytest.approx(0.0, abs=2**-13)
    assert high == pytest.approx(0.8, abs=2**-13)


def test_what_an_outer_branch_tells_holds_in_an_inner_one():
    class Nested(Neuron):
        V = State()
        I = Input()

        def update(self, V, I):
            drive = 0.9 * V + I
            limited = np.where(drive >= 10, np.where(drive >= -10, 10.0, 99.0), drive)
            return V >= 5, np.where(limited <= -10, -10.0, limited)

    low, high = reach(Nested(), "V")
    assert (low, high) == pytest.approx((-10.0, 10.0), abs=2**-13)


def test_a_branch_that_contradicts_an_outer_one_counts_for_nothing():
    class Contradictory(Neuron):
        V = State()
        I = Input()

        def update(self, V, I):
            never = np.where(V + 2 * I < 1, 77.0, 3.0)
            return V >= 5, np.where(V + 2 * I >= 4, never, -2.0)

    assert reach(Contradictory(), "V") == pytest.approx((-2.0, 3.0), abs=2**-13)


def test_a_condition_that_may_hold_is_not_taken_for_a_contradiction():
    class Open(Neuron):
        V = State()
        I = Input()

        def update(self, V, I):
            inner = np.where(V + 2 * I < 8, 77.0, 3.0)
            return V >= 5, np.where(V + 2 * I >= 4, inner, -2.0)

    neuron = Open()
    assert reach(neuron, "V")[1] == pytest.approx(77.0, abs=2**-13)
    assert neuron.fixed().step(I=3.0)[1] == 77.0


@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_no_run_leaves_the_range_that_was_derived(dt):
    neuron = SCAdExNeuron(dt=dt)
    current = np.random.default_rng(1).uniform(-128, 127, (400, 20)) ** 3 / 128**2
    recording = neuron.run(current)
    low, high = reach(neuron, "V")
    assert low <= recording.V.min()
    assert recording.V.max() <= high


class Narrow(Neuron):
    """A steep function of a state that stays within [0, top]."""

    top: float = 0.5
    V = State()
    I = Input()

    def update(self, V, I):
        V_next = np.clip(0.5 * V + 0.01 * np.exp(4 * V / self.top) + 0.1 * I, 0.0, self.top)
        return V_next >= 0.4, V_next


@pytest.mark.parametrize("top", [0.1, 0.5, 0.9, 3.0, 100.0])
def test_a_table_is_addressed_with_the_finest_word_that_holds_its_variable(top):
    fixed = Narrow(top=top).fixed()
    (table,) = fixed.lowered.tables
    low, high = reach(Narrow(top=top), "V")
    register = fixed.lowered.registers["V"]
    fraction = min(fitting(low, high).fraction, register.fraction)
    assert table.first <= 0
    assert table.last == pytest.approx(top * 2**fraction, abs=2 ** (fraction - 14) + 2)
    assert top > 64 or fraction > 8
    assert check_one_step(Narrow(top=top)) > 0.95


def test_a_finer_address_makes_a_steep_function_more_accurate():
    """A Q8.8 address would step the exponential by 4/top/256 of itself."""
    neuron = Narrow(top=0.5)
    bound = neuron.fixed().lowered.bounds["V"]
    assert bound < 0.01 * np.exp(4) * 4 / 0.5 / 256 / 2 / 4
