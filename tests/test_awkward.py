"""Updates that people write, each of which once was refused without need or quietly went wrong.

Whatever is accepted is within its bound from any registers, and runs freely as float does.
"""

import numpy as np
import pytest
from checks import check_one_step, few, one_step_errors

from scneuro import Input, LoweringError, Neuron, State
from scneuro.signals.stimulus import as_words

NEURONS = []


def awkward(kind):
    NEURONS.append(kind)
    return kind


class Plain(Neuron):
    V = State()
    w = State()
    I = Input()
    currents = (1.0, 2.0)


# -- polynomials in plain words -------------------------------------------------------------------
@awkward
class Cubic(Neuron):
    """FitzHugh and Nagumo's: v**3 may reach two million in plain Q8.8."""

    v = State(init=-1.0)
    w = State(init=-0.4)
    I = Input()
    currents = (0.35, 0.5, 0.7)

    def update(self, v, w, I):
        v_next = v + self.dt * (v - v**3 / 3 - w + I)
        return (v < 1) & (v_next >= 1), v_next, w + self.dt * 0.08 * (v + 0.7 - 0.8 * w)


@awkward
class HalfSteps(Neuron):
    """Two half steps: composed they are a polynomial of degree 4, whose terms cancel."""

    V = State(init=-60.0)
    I = Input()
    currents = (10.0, 20.0, 40.0)

    def update(self, V, I):
        for _ in range(2):
            V = V + 0.05 * (0.7 * (V + 60) * (V + 40) / 100 + I)
        spike = V >= 35
        return spike, np.where(spike, -55.0, V)


# -- tables that swallow the update, or reach far -------------------------------------------------
@awkward
class TableOfAll(Neuron):
    """The whole update is small and in a table: a coarse one would stop V."""

    V = State(range=(-20, 2))
    I = Input()
    currents = (0.05, 0.01)

    def update(self, V, I):
        V_next = V + 0.001 * (np.exp(-V) + 1 - V) + 0.1 * I
        spike = V_next >= 1.5
        return spike, np.where(spike, -2.0, V_next)


@awkward
class PoleBeyondTheBranch(Neuron):
    """Rulkov's map, where it spikes regularly: a / (1 - x) + y has a pole in the other branch."""

    a: float = 6.0
    dt: float = 1.0
    x = State(init=-1.0)
    y = State(init=-2.9)
    I = Input()
    currents = (0.0, 0.1, 0.2, 0.3)

    def update(self, x, y, I):
        top = self.a + y + I
        x_next = np.where(x <= 0, self.a / (1 - x) + y + I, np.where(x < top, top, -1.0))
        return (x <= 0) & (x_next > 0), x_next, y - 0.001 * (x + 1) + 0.0002


@awkward
class ProductWithAnExponential(Neuron):
    """Chialvo's map."""

    dt: float = 1.0
    x = State(init=0.1)
    y = State(init=1.0)
    I = Input()
    currents = (0.03, 0.04, 0.05)

    def update(self, x, y, I):
        x_next = x**2 * np.exp(y - x) + I
        return (x < 1) & (x_next >= 1), x_next, 0.89 * y - 0.6 * x + 0.28


# -- functions of products ------------------------------------------------------------------------
class Leaky(Plain):
    top: float = 5.0

    def update(self, V, w, I):
        V_next = self.next(V, w, I)
        spike = V_next >= self.top
        return spike, np.where(spike, 0.0, V_next), 0.98 * w + 0.02 * V


@awkward
class TanhOfASquare(Leaky):
    def next(self, V, w, I):
        return 0.95 * V + np.tanh(0.2 * V + I * I)


@awkward
class TanhOfAnExponential(Leaky):
    def next(self, V, w, I):
        return 0.95 * V + np.tanh(np.exp(np.minimum(w, 8.0)) * I)


@awkward
class RootOfAProduct(Leaky):
    w = State(init=1.0)

    def next(self, V, w, I):
        return 0.9 * V + 0.2 * np.sqrt(np.maximum(V * w, 0)) + 0.1 * I


@awkward
class ReciprocalOfAProduct(Leaky):
    top: float = 1.5
    w = State(init=1.0)

    def next(self, V, w, I):
        return 0.9 * V + 0.05 * (1 / (0.1 + np.abs(V * w))) + 0.1 * I


@awkward
class LogarithmOfAProduct(Leaky):
    top: float = 3.0

    def next(self, V, w, I):
        return 0.95 * V + 0.1 * np.log(np.abs(V * I) + 0.05) + 0.2 * I


@awkward
class SizeOfAChoice(Leaky):
    top: float = 2.0

    def next(self, V, w, I):
        return 0.9 * V + 0.1 * np.abs(np.where(w < V, V - 2 * w, w + I)) + 0.1 * I


@awkward
class TanhOfMuch(Leaky):
    """An argument that nothing limits but where the neuron works."""

    top: float = 1.2

    def next(self, V, w, I):
        return 0.9 * V + 0.3 * np.tanh(V * V * w + I) + 0.1 * I


@awkward
class TanhOfMuchEverywhere(TanhOfMuch):
    """The same, wherever its states and its input are."""

    V = State(range=(-100, 100))
    w = State(range=(-100, 100))
    I = Input(range=(-100, 100))


@awkward
class FactorOfZero(Leaky):
    """What multiplies everything in a function is 0: a constant is left."""

    k: float = 0.0
    top: float = 3.0

    def next(self, V, w, I):
        flat = np.tanh(self.k * w * V + self.k * I) + 0.1 * np.exp(self.k * (V - w))
        return 0.95 * V + flat + 0.1 * I


@awkward
class ConditionsAdded(Leaky):
    """NumPy's sum of two conditions is their or."""

    top: float = 1.9

    def next(self, V, w, I):
        either = (w <= V) + (w >= 0.5)
        return 0.95 * V + 0.1 * np.where(either, 1.0, 0.0) + 0.05 * I


# -- gates and powers -----------------------------------------------------------------------------
@awkward
class ClippedGate(Neuron):
    """A gate in Q1.15 is clipped to 1, which is one LSB more than the word holds."""

    V = State(init=-65.0)
    m = State(word="Q1.15", range=(0, 1))
    I = Input()
    currents = (5.0, 10.0, 20.0)

    def update(self, V, m, I):
        m_next = np.clip(m + 0.1 * (1 / (1 + np.exp(-(V + 40) / 5)) - m), 0, 1)
        V_next = V + 0.1 * (-0.1 * (V + 65) + 20 * m_next + I)
        spike = V_next >= 20
        return spike, np.where(spike, -65.0, V_next), m_next


@awkward
class FractionalPower(Neuron):
    V = State(init=1.0, range=(0, 20))
    I = Input()
    currents = (1.0, 2.0)

    def update(self, V, I):
        V_next = V + 0.02 * (V**1.5 - 2 * V) + 0.1 * I
        spike = V_next >= 15
        return spike, np.where(spike, 1.0, V_next)


@awkward
class Rate(Neuron):
    """x / expm1(x), 0/0 where V is -40."""

    V = State(init=-65.0)
    I = Input()
    currents = (5.0, 10.0, 20.0)

    def update(self, V, I):
        x = (V + 40) / 10
        V_next = V + 0.1 * (-0.1 * (V + 65) - x / np.expm1(x) + I)
        spike = V_next >= -30
        return spike, np.where(spike, -65.0, V_next)


# -- names ----------------------------------------------------------------------------------------
@awkward
class Named(Neuron):
    """Names that once were those of draws, or are those of nodes and of what tables are of."""

    noise_V = State()
    dither_V = State()
    V = State()
    table_1 = State()
    x = State()
    noise_I = Input()
    currents = (3.0, 4.0)

    def update(self, noise_V, dither_V, V, table_1, x, noise_I):
        V_next = 0.9 * V + np.tanh(0.2 * noise_V - 0.1 * x) + 0.2 * noise_I
        fires = V_next >= 2.0
        rest = 0.9 * noise_V + 0.05 * V, 0.9 * dither_V + 0.1 * noise_V
        return fires, *rest, np.where(fires, 0.0, V_next), 0.9 * table_1 + 0.1 * V, 0.5 * x + V


# -- all of them ----------------------------------------------------------------------------------
@pytest.mark.parametrize("rounding", few(("nearest", "floor", "stochastic"), "nearest".__eq__))
@pytest.mark.parametrize("kind", few(NEURONS, lambda kind: NEURONS.index(kind) % 2 == 0))
def test_it_is_within_its_bound_from_any_registers(kind, rounding):
    neuron = kind()
    lowered = neuron.fixed(rounding=rounding).lowered
    for state, bound in lowered.bounds.items():
        assert 0 < bound <= lowered.budgets[state] <= lowered.registers[state].word.lsb
    assert check_one_step(neuron, 5000, rounding=rounding) > 0.9


@pytest.mark.parametrize("kind", few(NEURONS, lambda kind: NEURONS.index(kind) % 5 == 0))
def test_it_runs_as_float_does(kind):
    neuron, steps = kind(), 3000
    current = np.tile(as_words(np.array(neuron.currents)), (steps, 1))
    a, b = (r.run(current, progress=False) for r in (neuron, neuron.fixed()))
    if kind is PoleBeyondTheBranch:  # which is chaotic
        assert b.spikes == pytest.approx(a.spikes, rel=0.02)
    else:
        assert b.spikes.tolist() == a.spikes.tolist()
    assert a.spikes.max() >= 2
    fired = np.flatnonzero(np.any(a.spike | b.spike, axis=1))
    for name, state in neuron.state_variables.items():
        # up to the first spike, behind which a step more or less may tell
        apart = np.abs(a.states[name] - b.states[name])[: fired[0]]
        assert apart.max(initial=0) <= 4 * state.format.lsb, name


# -- one by one -----------------------------------------------------------------------------------
def test_a_table_of_the_whole_update_moves_the_state_when_nothing_else_does():
    neuron = TableOfAll()
    a, b = (r.run(np.zeros(4000), progress=False) for r in (neuron, neuron.fixed()))
    assert a.V[-1] - a.V[0] > 1
    assert b.V[-1] == pytest.approx(a.V[-1], abs=2.0**-7)
    assert b.spikes == a.spikes


def test_the_limit_of_a_rate_is_taken_and_said():
    fixed = Rate().fixed()
    (note,) = fixed.lowered.notes
    assert note.endswith("is 0/0 at -40: its limit there is taken")
    fixed.V = -40.0
    fixed.step(I=0.0)
    assert pytest.approx(-40 + 0.1 * (-2.5 - 1), abs=2.0**-8) == fixed.V


def test_a_gate_reaches_the_end_of_its_word_and_stays_there():
    class Open(Neuron):
        m = State(word="Q1.15", range=(0, 1))
        I = Input()

        def update(self, m, I):
            return I < -100, np.clip(m + I, 0, 1)

    fixed = Open().fixed()
    trace = fixed.run(np.array([0.5, 0.5, 0.5, 10.0, -0.25, -20.0]), progress=False).m
    assert trace.tolist() == pytest.approx([0.5, 1, 1, 1, 0.75, 0], abs=2.0**-15)
    assert check_one_step(Open()) == 1.0


def test_a_neuron_that_computes_nothing_is_lowered():
    class Still(Neuron):
        V = State(init=3.0)
        I = Input()

        def update(self, V, I):
            return V >= 2.0, V

    fixed = Still().fixed()
    assert fixed.run(np.zeros(5), progress=False).V.tolist() == [3.0] * 5
    assert fixed.lowered.bounds["V"] <= 2.0**-20
    assert check_one_step(Still()) == 1.0


class Sine(Neuron):
    """A sine that has a period of its own at every word."""

    k: float = 200.0
    size: float = 0.25
    V = State()
    I = Input()
    currents = (1.0, 2.0)

    def update(self, V, I):
        return V >= 10.0, 0.9 * V + self.size * np.sin(self.k * V) + 0.1 * I


HIDDEN = 2 * np.pi * 256  # 0 at every word


@pytest.mark.parametrize(
    ("k", "size"),
    few(
        [(200.0, 0.25), (200.0, 5.0), (HIDDEN, 0.002), (HIDDEN, 0.1), (HIDDEN, 5.0)],
        lambda case: case[0] == HIDDEN,
    ),
)
def test_a_fast_sine_is_within_its_bound_or_refused_with_the_reason(k, size):
    neuron = Sine(k=k, size=size)
    try:
        fixed = neuron.fixed()
    except LoweringError as error:
        reason = error.message
        assert size > 0.01
        assert "V may be off by" in reason
        assert "is sin((" in reason
        return
    # at registers as fine as they come, around some words
    lowered = fixed.lowered
    r = lowered.registers["V"]
    fine = np.concatenate([np.arange(-2000, 2000) + (n << r.guard) for n in (-300, 0, 77, 1000)])
    vectors = {"V": np.clip(fine, r.low, r.high), "I": np.zeros_like(fine)}
    _, errors = one_step_errors(neuron, fixed, vectors)
    assert errors["V"].max() <= 1
    assert lowered.bounds["V"] <= lowered.budgets["V"]


def test_a_sine_that_is_zero_at_every_word_is_not_taken_for_nothing():
    bounds = [Sine(k=HIDDEN, size=size).fixed(budget=1e4).lowered.bounds["V"] for size in (1, 5)]
    assert bounds[0] > 0.9
    assert bounds[1] > 4.5
