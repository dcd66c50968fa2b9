"""Precision from a budget: it is kept, divided, shown, and refused with what would help."""

import math

import numpy as np
import pytest
from checks import check_one_step, few, more_at_night, multiplications
from hypothesis import given, settings
from hypothesis import strategies as st

from scneuro import AdEx, Input, LoweringError, Neuron, State
from scneuro.compiler.bounds.precision import active, continuity
from scneuro.neurons import builtin, builtins
from scneuro.working import working

# -- small neurons of every kind ------------------------------------------------------------------
SMALL = st.floats(0.05, 2.0) | st.floats(-2.0, -0.05)
CURVES = {
    "tanh": np.tanh,
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "bell": lambda x: np.exp(-x * x),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "reciprocal": lambda x: 1 / (1 + x * x),
    "root": lambda x: np.sqrt(np.abs(x) + 0.1),
}


class Small(Neuron):
    """V and w drift to 0, pushed by terms of some kinds."""

    kinds: tuple = ()
    V = State()
    w = State()
    I = Input()
    currents = (1.0, 2.0)

    def update(self, V, w, I):
        push, other = I, V
        for kind, a, b in self.kinds:
            match kind:
                case "quadratic":
                    push = push + a * V * V + b * V * w
                case "cubic":
                    push = push - abs(a) * V**3 + b * w * w
                case "power of a sum":
                    push = push - 0.1 * (a * V + b * w) ** 3
                case "quotient":
                    push = push + a * V / (2 + w * w)
                case "gated":
                    other = other + a * w * np.tanh(b * V)
                case "chosen":
                    push = push + np.where(a * V > w, b * V * w, a * I)
                case _:
                    push = push + a * w * CURVES[kind](b * V)
                    other = other + b * CURVES[kind](a * (V - w))
        V_next = np.clip(0.95 * V + 0.05 * push, -4, 4)
        w_next = np.clip(0.98 * w + 0.02 * other, -4, 4)
        spike = (V < 1) & (V_next >= 1)
        return spike, V_next, w_next


KINDS = [*CURVES, "quadratic", "cubic", "power of a sum", "quotient", "gated", "chosen"]
TERMS = st.lists(st.tuples(st.sampled_from(KINDS), SMALL, SMALL), min_size=1, max_size=3)


def small(terms, **words):
    """A class of its own, as a neuron is known by its class and parameters."""
    body = {"kinds": tuple(terms), "__annotations__": {"kinds": "ClassVar[tuple]"}}
    states = {n: State(range=(-4, 4), **words) for n in ("V", "w")}
    return type("Small", (Small,), {**body, **states})()


@more_at_night(12, 100)
def test_whatever_is_accepted_keeps_its_budget_and_no_step_exceeds_its_bound(examples):
    @settings(max_examples=examples)
    @given(TERMS, st.sampled_from(["nearest", "floor", "stochastic"]))
    def check(terms, rounding):
        neuron = small(terms)
        lowered = neuron.fixed(rounding=rounding).lowered
        for state, bound in lowered.bounds.items():
            assert 0 < bound <= lowered.budgets[state] <= lowered.registers[state].word.lsb
        assert check_one_step(neuron, 4000, rounding=rounding) > 0.9

    check()


@more_at_night(3, 20)
def test_a_smaller_budget_gives_a_smaller_bound_and_no_fewer_bits(examples):
    @settings(max_examples=examples)
    @given(TERMS)
    def check(terms):
        neuron = small(terms)
        found = {}
        for budget in (64.0, 4.0, 0.25, 0.02):
            lowered = neuron.fixed(budget=budget).lowered
            for state, bound in lowered.bounds.items():
                assert bound <= lowered.budgets[state] <= budget * lowered.registers[state].word.lsb
            bits = {n: r.width for n, r in lowered.registers.items()}
            found[budget] = bits, lowered.bounds
        for n in ("V", "w"):
            widths = [bits[n] for bits, _ in found.values()]
            assert widths == sorted(widths)
            assert found[0.02][1][n] <= 1.5 * found[4.0][1][n]
        assert check_one_step(neuron, 4000, budget=0.02) > 0.9

    check()


@more_at_night(3, 20)
def test_the_same_neuron_is_lowered_alike_every_time(examples):
    """Wherever its terms come to lie: each class is a neuron of its own."""

    @settings(max_examples=examples)
    @given(TERMS, st.sampled_from([None, 0.25]))
    def check(terms, budget):
        first, second = (small(terms).fixed(budget=budget).lowered for _ in range(2))
        assert first is not second
        assert first.bounds == second.bounds
        assert first.registers == second.registers
        assert first.tables == second.tables
        for a, b in zip(first.path.reachable(), second.path.reachable(), strict=True):
            assert (a.op, a.meta, a.low, a.high, a.fraction) == (
                b.op,
                b.meta,
                b.low,
                b.high,
                b.fraction,
            )

    check()


# -- budgets --------------------------------------------------------------------------------------
class Cubic(Neuron):
    """FitzHugh and Nagumo's, in plain words."""

    v = State(init=-1.0)
    w = State()
    I = Input()
    currents = (0.5, 1.0)

    def update(self, v, w, I):
        v_next = v + self.dt * (v - v**3 / 3 - w + I)
        w_next = w + self.dt * 0.08 * (v + 0.7 - 0.8 * w)
        return (v < 1.0) & (v_next >= 1.0), v_next, w_next


class Loose(Cubic):
    v = State(init=-1.0, budget=8.0)


class Strict(Cubic):
    v = State(init=-1.0, budget=0.01)


def test_a_state_may_have_a_budget_of_its_own():
    budgets = [kind().fixed().lowered.budgets for kind in (Cubic, Loose, Strict)]
    assert [b["v"] * 256 for b in budgets] == [1.0, 8.0, 0.01]
    assert [b["w"] * 256 for b in budgets] == [1.0, 1.0, 1.0]
    for kind in (Cubic, Loose, Strict):
        lowered = kind().fixed().lowered
        assert all(lowered.bounds[n] <= lowered.budgets[n] for n in "vw")
        assert check_one_step(kind()) > 0.9


def test_a_state_s_own_budget_goes_before_the_neurons():
    assert Loose().fixed(budget=2.0).lowered.budgets == {"v": 8.0 / 256, "w": 2.0 / 256}
    assert Cubic().fixed(budget=2.0).lowered.budgets == {"v": 2.0 / 256, "w": 2.0 / 256}


def test_a_strict_budget_takes_guard_bits_and_says_so():
    strict = Strict().fixed().lowered
    assert strict.registers["v"].guard > Cubic().fixed().lowered.registers["v"].guard or (
        strict.bounds["v"] <= 0.01 / 256
    )
    register = Cubic().fixed(budget=2.0**-10).lowered.registers["v"]
    assert register.guard > 8
    assert "a budget of" in register.note


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan")])
def test_a_budget_that_is_none_is_refused(budget):
    with pytest.raises(ValueError, match="budget must be positive, in LSB, not"):
        Cubic().fixed(budget=budget)


def test_a_loose_budget_is_cheaper():
    def bits(**options):
        nodes = Cubic().fixed(**options).lowered.path.reachable()
        return sum(n.args[0].width * n.args[1].width for n in nodes if n.op == "mul")

    assert bits(budget=64.0) < bits() <= bits(budget=2.0**-8)
    assert multiplications(Cubic().fixed(budget=64.0)) == multiplications(Cubic().fixed())


def test_where_16_bits_are_enough_nothing_is_finer_or_limited():
    for name in ("lif", "quadratic_if", "izhikevich"):
        lowered = builtin(name)().fixed().lowered
        if all(lowered.bounds[n] <= lowered.budgets[n] for n in lowered.registers):
            assert lowered.share is None or lowered.working


# -- slow states ----------------------------------------------------------------------------------
class Slow(Neuron):
    """w decays so slowly that what is off adds up for long."""

    tau: float = 400.0
    V = State()
    w = State()
    I = Input()
    currents = (20.0,)

    def update(self, V, w, I):
        V_next = 0.95 * V + 0.05 * (I - w)
        w_next = w + self.dt / self.tau * (np.tanh(V / 8) * 10 - w)
        spike = V_next >= 10
        return spike, np.where(spike, 0.0, V_next), w_next


@pytest.mark.parametrize("tau", [5.0, 20.0, 100.0, 400.0, 3000.0])
def test_a_slow_state_has_a_budget_as_much_smaller_as_it_has_more_guard_bits(tau):
    lowered = Slow(tau=tau).fixed().lowered
    r = lowered.registers["w"]
    assert r.slow == max(0, math.ceil(math.log2(tau / 0.1)) - 1 - 8)
    assert lowered.budgets["w"] == math.ldexp(r.word.lsb, -r.slow)
    assert lowered.budgets["V"] == lowered.registers["V"].word.lsb
    assert lowered.bounds["w"] <= lowered.budgets["w"]


@pytest.mark.slow
def test_what_a_slow_state_is_off_by_stays_small_over_many_steps():
    neuron = Slow()
    current = np.full(60_000, 20.0)
    a, b = (r.run(current, progress=False) for r in (neuron, neuron.fixed()))
    assert a.spikes == b.spikes
    assert np.abs(a.w - b.w)[-1000:].max() < 2.0**-8


# -- where it goes --------------------------------------------------------------------------------
@pytest.mark.parametrize("name", few(builtins(), lambda name: name != "hodgkin_huxley"))
def test_costs_add_up_to_about_the_bound(name):
    lowered = builtin(name)().fixed().lowered
    for state, bound in lowered.bounds.items():
        costs = [cost.error for cost in lowered.costs[state]]
        assert costs == sorted(costs, reverse=True)
        assert 0.8 * bound <= sum(costs) <= 1.5 * bound + 1e-9, state


@more_at_night(5, 40)
def test_costs_of_any_neuron_add_up_to_about_the_bound(examples):
    @settings(max_examples=examples)
    @given(TERMS)
    def check(terms):
        lowered = small(terms).fixed().lowered
        for state, bound in lowered.bounds.items():
            assert 0.5 * bound <= sum(cost.error for cost in lowered.costs[state]) <= 2 * bound

    check()


def test_the_table_is_what_costs_most_of_adex():
    lowered = AdEx().fixed(guard=12).lowered
    assert lowered.costs["V"][0].of.startswith("[exp(")
    assert "rounding" in [cost.of for cost in lowered.costs["V"]]


# -- refusals -------------------------------------------------------------------------------------
class Hopeless(Neuron):
    """A sine so fast that no table follows it."""

    V = State()
    w = State()
    I = Input()
    currents = (1.0,)

    def update(self, V, w, I):
        w_next = 0.9 * w + 0.01 * np.tanh(V)
        return V >= 10.0, 0.9 * V + 0.2 * np.sin(3000 * V) + 0.1 * I, w_next


def test_a_refusal_names_the_state_the_costliest_term_and_a_cure():
    with pytest.raises(LoweringError) as caught:
        Hopeless().fixed()
    message, hint = caught.value.message, caught.value.hint
    assert ": Hopeless: a step of V may be off by " in message
    assert message.startswith(__file__)
    assert "and its budget is 1; most of it, " in message
    assert "is sin((3000 * V))" in message
    assert "State(range=" in hint
    assert "State(budget=" in hint


def test_the_cure_a_refusal_names_helps():
    class Cured(Hopeless):
        V = State(budget=200.0)

    lowered = Cured().fixed().lowered
    assert 1 / 256 < lowered.bounds["V"] <= lowered.budgets["V"] == 200 / 256
    assert lowered.bounds["w"] <= lowered.budgets["w"]
    assert check_one_step(Cured()) > 0.9


@pytest.mark.parametrize("k", few((10.0, 100.0, 1000.0, 10_000.0), lambda k: k in (10.0, 1000.0)))
def test_no_table_that_misses_its_budget_passes_quietly(k):
    """Its error once doubled until it fitted, and nobody was told."""

    class Fast(Neuron):
        V = State()
        I = Input()
        currents = (1.0,)

        def update(self, V, I):
            return V >= 10.0, 0.9 * V + 0.2 * np.sin(k * V) + 0.1 * I

    if k < 1000:
        lowered = Fast().fixed().lowered
        assert lowered.bounds["V"] <= lowered.budgets["V"]
        assert check_one_step(Fast()) > 0.9
    else:
        with pytest.raises(LoweringError, match=r"V may be off by \d.* LSB"):
            Fast().fixed()


# -- how far an argument may be off ---------------------------------------------------------------
@pytest.mark.parametrize("error", [2.0**-6, 2.0**-10, 2.0**-16])
@pytest.mark.parametrize("name", CURVES)
def test_an_argument_off_by_the_continuity_changes_the_value_by_no_more(name, error):
    curve, (low, high) = CURVES[name], (-6.0, 5.0)
    step = continuity(curve, (low, high), error)
    points = np.linspace(low, high - step, 200_001)
    assert np.abs(curve(points + step) - curve(points)).max() <= error * 1.01
    wider = 2 * step
    points = np.linspace(low, high - wider, 200_001)
    assert np.abs(curve(points + wider) - curve(points)).max() > error * 0.9


def test_a_root_at_its_steepest_is_found():
    step = continuity(np.sqrt, (0.0, 100.0), 2.0**-8)
    assert math.sqrt(step) <= 2.0**-8
    assert continuity(np.sqrt, (0.0, 100.0), math.inf) == math.inf
    assert continuity(np.sqrt, (0.0, math.inf), 2.0**-8) == math.inf


@pytest.mark.parametrize("kind", CURVES)
@pytest.mark.parametrize("error", [0.3, 0.1, 1e-3])
def test_beyond_its_active_arguments_a_function_stays_within_the_error(kind, error):
    """However often they are narrowed: a tail that falls forever is flat in parts, not in all."""
    function, (least, most) = CURVES[kind], (-200.0, 100.0)
    low, high = active(function, (least, most), error)
    for begin, end, at in ((least, low, low), (high, most, high)):
        beyond = function(np.linspace(begin, end, 100_001))
        assert np.max(np.abs(beyond - function(at))) <= error


class Settling(Neuron):
    """V settles in a moment, c over 200,000 steps; c never falls below 0."""

    V = State()
    c = State()
    I = Input()
    currents = (10.0,)

    def update(self, V, c, I):
        spike = V >= 8.0
        return spike, np.where(spike, 0.0, V + 0.1 * (I - V)), c + 5e-6 * (np.abs(V) - c)


def test_a_state_that_still_reaches_further_has_room_to_go_on():
    ranges = working(Settling()).ranges
    after = Settling().run(np.full(60_000, 10.0), progress=False).c.max()
    assert ranges["c"][0] == 0.0
    assert after < ranges["c"][1] < 4 * after
    assert ranges["V"][0] < -9  # noise and inhibition reverse the current


class Gated(Neuron):
    """n settles in 100 steps and pushes V 300 times as hard; both in words of 1/256."""

    V = State(init=-60.0)
    n = State()
    I = Input()
    currents = (1.0,)

    def update(self, V, n, I):
        opened = 1 / (1 + np.exp(-(V + 50) / 3))
        V_next = V + 0.02 * (I - 0.1 * (V + 60) - 0.0001 * V * V) + 3.0 * n
        spike = V_next >= -40
        return spike, np.where(spike, -60.0, V_next), n + 0.01 * (opened - n)


def test_what_adds_up_in_a_state_that_moves_others_is_kept_small():
    measured = working(Gated())
    assert measured.slopes["n"]["V"] == pytest.approx(3.0, rel=1e-3)
    assert measured.slopes["n"]["n"] == pytest.approx(0.99, rel=1e-3)
    assert measured.asked("n", {"V": 0.3, "n": 1.0}) == pytest.approx(0.3 / 3.0 * 0.01, rel=0.01)
    for budget in (0.1, 0.01):
        registers = Gated().fixed(budget=budget).lowered.registers
        settled = 0.5 * 2.0 ** -registers["n"].fraction / 0.01  # where rounding holds it
        assert 3.0 * settled <= budget * registers["V"].word.lsb
    current = np.full(6000, 1.0)
    fixed = Gated().fixed(budget=budget)
    runs = [runner.run(current, progress=False) for runner in (Gated(), fixed)]
    assert runs[0].spikes == runs[1].spikes > 3


class Clock(Neuron):
    """A phase that goes on by less than a word's LSB, and by how fast is all that matters."""

    phase = State()
    rate = Input()
    currents = (5.0, 40.0)

    def update(self, phase, rate):
        following = phase + 0.0001 * rate * np.exp(0.0001 * phase)
        spike = following >= 1
        return spike, np.where(spike, following - 1, following)


def test_a_state_that_loses_nothing_keeps_its_pace():
    measured = working(Clock())
    assert 0 < measured.pace["phase"] < 1e-3
    rate = np.full(8000, 5.0)
    runs = [runner.run(rate, progress=False) for runner in (Clock(), Clock().fixed())]
    assert runs[0].spikes == runs[1].spikes >= 3
