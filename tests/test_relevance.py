"""What no longer matters is not computed, and where it still matters it is."""

import numpy as np
import pytest
from checks import check_one_step, few

from scneuro import Input, Neuron, State
from scneuro.compiler.datapath import ARRAYS
from scneuro.signals.stimulus import as_words
from scneuro.sim.compare.vectors import random_vectors


# -- behind a threshold whose branch resets -------------------------------------------------------
class Exponential(Neuron):
    """AdEx as in the paper: at V_peak = 20 mV the exponential is 10^15 of its value at rest."""

    V_peak: float = 20.0
    V = State(init=-70.6, unit="mV")
    w = State(unit="nA")
    I = Input(unit="nA")
    currents = (0.8, 1.0, 2.0)

    def update(self, V, w, I):
        upstroke = 0.03 * 2.0 * np.exp((V + 50.4) / 2.0)
        V_next = V + self.dt / 0.281 * (-0.03 * (V + 70.6) + upstroke - w + I)
        w_next = w + self.dt / 144.0 * (0.004 * (V + 70.6) - w)
        spike = V_next >= self.V_peak
        return spike, np.where(spike, -70.6, V_next), np.where(spike, w_next + 0.0805, w_next)


def spikes(neuron, steps):
    """The steps at which float, and integers, fire at each of the currents."""
    current = np.tile(as_words(np.array(neuron.currents)), (steps, 1))
    runs = [r.run(current, progress=False).spike for r in (neuron, neuron.fixed())]
    return [[np.flatnonzero(train) for train in run.T] for run in runs]


@pytest.mark.parametrize("V_peak", few((-40.0, -20.0, 0.0, 20.0), lambda V_peak: V_peak > 0))
def test_an_exponential_ends_where_what_is_written_is_the_reset(V_peak):
    neuron = Exponential(V_peak=V_peak)
    lowered = neuron.fixed().lowered
    assert lowered.bounds["V"] <= lowered.budgets["V"]
    (table,) = lowered.tables
    # a step from the lowest V past the peak is all that it is needed for
    assert table.high * 2.0**-table.fraction * 0.06 * 0.1 / 0.281 < 2 * 128 + abs(V_peak)
    assert check_one_step(neuron, 5000) > 0.95
    of_float, of_integers = spikes(neuron, 10_000)
    for a, b in zip(of_float, of_integers, strict=True):
        assert len(a) >= 5
        assert len(a) == len(b) or max(a[-1], b[-1]) > 10_000 - 10  # the last one is cut off
        count = min(len(a), len(b))
        # what a step of V may be off by, 0.11 LSB, moves a spike by 2 ms in a second
        assert b[count - 1] == pytest.approx(a[count - 1], rel=2e-3)


def test_what_is_beyond_the_threshold_does_spike():
    """The table is limited, and still carries V past V_peak from anywhere above."""
    neuron = Exponential()
    fixed = neuron.fixed()
    vectors = random_vectors(fixed, 5000)
    r = fixed.lowered.registers["V"]
    vectors["V"] = np.linspace(r.low, r.high, 5000).astype(np.int64)
    real = fixed.lowered.real(vectors)
    spike, *_ = neuron.update(real["V"], real["w"], real["I"])
    got = fixed.lowered.path.evaluator(fixed.lowered.path.outputs, ARRAYS)(vectors)["spike"]
    assert 100 < spike.sum() < 4900
    assert np.mean(np.asarray(got, dtype=bool) == spike) > 0.999


class Unlimited(Exponential):
    """Its peak is written: what lies behind it matters up to the end of the word."""

    def update(self, V, w, I):
        spike, V_next, w_next = super().update(V, w, I)
        return spike, np.where(spike, np.minimum(V_next, 100.0) - 100.0, V_next), w_next


def test_a_branch_that_writes_what_it_found_keeps_it():
    neuron = Unlimited()
    assert check_one_step(neuron, 5000) > 0.9
    lowered = neuron.fixed().lowered
    assert lowered.bounds["V"] <= lowered.budgets["V"]


# -- used in one branch ---------------------------------------------------------------------------
class Hyperbola(Neuron):
    """Rulkov's map: a / (1 - x) + y where x <= 0, which has a pole at 1."""

    a: float = 6.0
    dt: float = 1.0
    x = State(init=-1.0)
    y = State(init=-2.9)
    I = Input()
    currents = (0.0, 0.1, 0.2)

    def update(self, x, y, I):
        top = self.a + y + I
        x_next = np.where(x <= 0, self.a / (1 - x) + y + I, np.where(x < top, top, -1.0))
        return (x <= 0) & (x_next > 0), x_next, y - 0.001 * (x + 0.8)


def test_a_table_used_in_one_branch_only_is_limited_to_its_arguments_there():
    neuron = Hyperbola()
    lowered = neuron.fixed().lowered
    (table,) = lowered.tables
    low = lowered.registers["x"].to_real(lowered.registers["x"].low)
    fraction = round(np.log2((table.words - 1) / -low))
    assert table.last <= 2  # the address just above 0 at most
    assert table.words == pytest.approx(-low * 2.0**fraction, rel=0.02)
    assert check_one_step(neuron) > 0.9
    for a, b in zip(*spikes(neuron, 6000), strict=True):
        assert len(b) == pytest.approx(len(a), rel=0.05)
        assert len(a) > 100


def test_a_comparison_in_the_same_branch_needs_no_more():
    """(x <= 0) & (x_next > 0) compares a / (1 - x) where x <= 0 alone."""

    class Outside(Hyperbola):
        def update(self, x, y, I):
            _, x_next, y_next = super().update(x, y, I)
            return x_next > 0.5, x_next, y_next

    for kind in (Hyperbola, Outside):
        (table,) = kind().fixed().lowered.tables
        assert table.last <= 2
        assert check_one_step(kind()) > 0.9


class Both(Neuron):
    """A table that both branches use, each for other arguments."""

    V = State(range=(-100, 100))
    I = Input()
    currents = (1.0,)

    def update(self, V, I):
        curve = np.sqrt(np.abs(V) + 1)
        V_next = np.where(V >= 10.0, 0.5 * V - curve, np.where(V < -10, 0.5 * V + curve, 0.9 * V))
        return V >= 50.0, V_next + 0.1 * I


class Once(Both):
    """A table that one branch uses, within limits of its own."""

    def update(self, V, I):
        inside = (V >= -5.0) & (V < 20.0)
        return V >= 50.0, np.where(inside, 0.5 * V + np.exp(V / 8), 0.5 * V) + 0.1 * I


def test_a_table_used_in_several_branches_has_the_arguments_of_all():
    (table,) = Both().fixed().lowered.tables
    fraction = round(np.log2(table.words / 200))
    assert table.words == pytest.approx(200 * 2**fraction, rel=0.01)
    assert check_one_step(Both()) > 0.9


def test_limits_on_both_sides_limit_both_sides():
    (table,) = Once().fixed().lowered.tables
    fraction = round(np.log2(table.words / 25))
    assert table.first * 2.0**-fraction == pytest.approx(-5.0, abs=0.01)
    assert table.last * 2.0**-fraction == pytest.approx(20.0, abs=0.01)
    assert check_one_step(Once()) > 0.9


def test_a_user_s_own_comparison_is_exact_wherever_it_is_made():
    """Each comparison of the source is checked by itself, so none may stop early."""

    class Compared(Neuron):
        V = State(range=(-20, 20))
        I = Input()
        currents = (1.0,)

        def update(self, V, I):
            return (V >= 0) & (np.exp(V / 4) > 2 + I), 0.9 * V + 0.1 * I

    assert check_one_step(Compared(), 5000) > 0.9


# -- saturation -----------------------------------------------------------------------------------
class Overshooting(Neuron):
    """Every state is driven far beyond its limits, by sums, products and tables."""

    V = State(range=(-10, 10))
    w = State()
    u = State(word="Q2.14")
    I = Input()
    currents = (1.0, 100.0)

    def update(self, V, w, u, I):
        V_next = 0.9 * V + 50 * I - 3 * w
        w_next = 0.9 * w + 2 * V * u + I
        u_next = 0.5 * u + np.exp(V / 3) * 0.2 - 0.01 * w
        return V >= 5.0, V_next, w_next, u_next


@pytest.mark.parametrize("rounding", ["nearest", "floor", "stochastic"])
def test_saturation_never_wraps(rounding):
    neuron = Overshooting()
    fixed = neuron.fixed(rounding=rounding)
    vectors = random_vectors(fixed, 20_000)
    lowered = fixed.lowered
    real = lowered.real(vectors)
    _, *states = neuron.update(*(real[n] for n in ("V", "w", "u", "I")))
    got = lowered.path.evaluator(lowered.path.outputs, ARRAYS)(vectors)
    for r, expected in zip(lowered.registers.values(), states, strict=True):
        assert np.all((got[r.name] >= r.low) & (got[r.name] <= r.high))
        above, below = expected > r.to_real(r.most), expected < r.to_real(r.least)
        assert np.all(got[r.name][above] >= r.most - 2)
        assert np.all(got[r.name][below] <= r.least + 2)
    assert check_one_step(neuron, 5000, rounding=rounding) > 0.9


def test_an_input_beyond_its_limits_is_as_if_at_them():
    class Driven(Neuron):
        V = State()
        I = Input(range=(-2.0, 3.0))

        def update(self, V, I):
            return V >= 20.0, 0.9 * V + np.tanh(I * V / 4) + I

    fixed = Driven().fixed()
    ends = fixed.run(np.array([[-2.0, 3.0]] * 50), progress=False).V
    beyond = fixed.run(np.array([[-100.0, 100.0]] * 50), progress=False).V
    assert np.array_equal(ends, beyond)
    assert check_one_step(Driven()) > 0.9


class BelowItsLimit(Neuron):
    """Both terms of y's update are always far below where y saturates, and so is their sum."""

    w = State(range=(0, 110))
    y = State(range=(-128, 0))
    I = Input()
    currents = (1.0, 2.0)

    def update(self, w, y, I):
        y_next = 0.99 * y + 4.6 * np.exp(np.clip(w / 1814, -8, 2)) * (-36.7 - w)
        return I >= 100.0, 0.9 * w + 0.5 * np.abs(I), y_next


def test_terms_that_are_all_limited_at_once_keep_their_sum_beyond_the_limit():
    fixed = BelowItsLimit().fixed(budget=8)
    assert check_one_step(BelowItsLimit(), 4000, budget=8) == 1.0
    assert np.all(fixed.run(np.ones(50), progress=False).y == -128)
