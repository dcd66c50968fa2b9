"""The canonical form: however an update is written, it is the same sum and the same datapath."""

import numpy as np
import pytest
from checks import more_at_night
from hypothesis import given, settings
from hypothesis import strategies as st

from scneuro import Input, LoweringError, Neuron, State
from scneuro.compiler.algebra.canonical import Canonical
from scneuro.compiler.algebra.terms import Lookup, Product, Select, Sum, Value, Variable, behind
from scneuro.compiler.datapath import ARRAYS
from scneuro.compiler.graph import Graph
from scneuro.compiler.trace import trace
from scneuro.sim.compare.vectors import random_vectors

v, w_, i = Variable("V"), Variable("w"), Variable("I")


def sums(update):
    """The canonical next values of V and w."""
    roots = trace(update, ["V", "w"], ["I"], "Mine")
    canonical = Canonical(roots)
    return tuple(canonical.sum(root) for root in roots[1:])


def sum_of(function):
    return sums(lambda V, w, I: (V > 0, function(V, w, I), w))[0]


def terms(value):
    return {atom.key: pytest.approx(c, rel=1e-12) for atom, c in value.terms}


class Leaky(Neuron):
    tau: float = 20.0
    E: float = -60.0
    R: float = 4.0
    w_tau: float = 50.0

    V = State(init="E")
    w = State()
    I = Input()

    def finish(self, V_next, w_next):
        spike = V_next >= -20.0
        return spike, np.where(spike, -70.0, V_next), np.where(spike, w_next + 1.0, w_next)


class Factored(Leaky):
    def update(self, V, w, I):
        w_next = w + self.dt / self.w_tau * (0.5 * (V - self.E) - w)
        return self.finish(V + self.dt / self.tau * (self.E - V + self.R * (I - w)), w_next)


class Expanded(Leaky):
    def update(self, V, w, I):
        k = self.dt / self.tau
        w_next = (1 - self.dt / self.w_tau) * w
        w_next = w_next - 0.5 * self.E * self.dt / self.w_tau + V * 0.5 * self.dt / self.w_tau
        return self.finish(k * self.E + (1 - k) * V + k * self.R * I - w * k * self.R, w_next)


class Divided(Leaky):
    def update(self, V, w, I):
        leak = (V - self.E) / self.tau
        dV = -leak - (w - I) * self.R / self.tau
        dw = ((V - self.E) / 2 - w) / self.w_tau
        return self.finish(V + dV * self.dt, dw * self.dt + w)


class Roundabout(Leaky):
    def update(self, V, w, I):
        pull = (self.E - V) + 3 * I - 3 * I + V - V
        drive = self.R * I + (-self.R) * w
        w_next = (
            w + (V * self.dt - self.E * self.dt) / (2 * self.w_tau) - w / (self.w_tau / self.dt)
        )
        return self.finish(V + (pull + drive) * self.dt / self.tau, w_next)


WRITTEN = [Expanded, Divided, Roundabout]


@pytest.mark.parametrize("other", WRITTEN)
def test_one_update_written_in_many_ways_is_one_sum(other):
    for a, b in zip(
        Factored().fixed().lowered.updates.values(),
        other().fixed().lowered.updates.values(),
        strict=True,
    ):
        assert a.key == b.key


@pytest.mark.parametrize("other", WRITTEN)
def test_one_update_written_in_many_ways_is_one_datapath(other):
    first, second = Factored().fixed().lowered, other().fixed().lowered
    assert first.registers == second.registers
    used = [(c.of, c.used) for c in first.coefficients]
    assert [(c.of, c.used) for c in second.coefficients] == used
    assert [n.width for n in first.path.reachable()] == [n.width for n in second.path.reachable()]
    vectors = random_vectors(Factored().fixed(), 5000)
    a = first.path.evaluator(first.path.outputs, ARRAYS)(vectors)
    b = second.path.evaluator(second.path.outputs, ARRAYS)(vectors)
    for name in a:
        assert np.array_equal(a[name], b[name]), name


def test_constants_fold_into_one_coefficient_per_term():
    value = sum_of(lambda V, w, I: V + 0.1 / 20 * (3.0 * (-70 - V) - w + 2 * I) + 5 - 1)
    assert terms(value) == {"V": 1 - 0.015, "w": -0.005, "I": 0.01}
    assert value.constant == pytest.approx(4 - 1.05)


def test_like_terms_cancel_to_nothing():
    assert sum_of(lambda V, w, I: 0.1 * V + 0.2 * V - 0.3 * V + w) == Sum(((w_, 1.0),))
    assert sum_of(lambda V, w, I: V * (V + w) - V**2 - V * w) == Sum()
    assert sum_of(lambda V, w, I: I * (w + 3 * V) / 2 - w * I / 2 - 1.5 * V * I) == Sum()


def test_a_power_of_one_value_expands():
    value = sum_of(lambda V, w, I: (V + 3) ** 3)
    assert terms(value) == {"V**3": 1.0, "V**2": 9.0, "V": 27.0}
    assert value.constant == 27.0
    value = sum_of(lambda V, w, I: 0.04 * (V + 62.5) ** 2 - 156.25)
    assert terms(value) == {"V**2": 0.04, "V": 5.0}
    assert value.constant == pytest.approx(0.0, abs=1e-9)


def test_a_power_of_a_sum_of_several_stays_a_power_of_one_value():
    ((atom, c),) = sum_of(lambda V, w, I: (V + 2 * w) ** 3).terms
    whole = Value(Sum(((v, 1.0), (w_, 2.0))))
    assert (atom, c) == (Product(((whole, 3),)), 1.0)
    assert sum_of(lambda V, w, I: (3 * V + 6 * w) ** 3) == Sum(((atom, 27.0),))
    ((atom, c),) = sum_of(lambda V, w, I: (V + w) * (V - w)).terms
    assert {factor.sum for factor, _ in atom.factors} == {
        Sum(((v, 1.0), (w_, 1.0))),
        Sum(((v, 1.0), (w_, -1.0))),
    }


def test_the_order_of_a_products_factors_does_not_matter():
    assert sum_of(lambda V, w, I: V * w * I) == sum_of(lambda V, w, I: I * (w * V))
    (atom, _), = sum_of(lambda V, w, I: w * V * w).terms  # fmt: skip
    assert atom == Product(((v, 1), (w_, 2)))


def test_a_table_times_functions_of_its_own_variable_is_one_table():
    value = sum_of(lambda V, w, I: 3 * V * np.exp(V / 10) * (V + 1) * np.tanh(V))
    assert len(value.terms) == 2
    for atom, _ in value.terms:
        assert isinstance(atom, Lookup)
        assert atom.of == v
    points = np.linspace(-5, 5, 101)
    total = value.constant + sum(
        c * Graph.evaluate((a.expr,), {"V": points})[0] for a, c in value.terms
    )
    expected = 3 * points * np.exp(points / 10) * (points + 1) * np.tanh(points)
    np.testing.assert_allclose(total, expected, rtol=1e-12, atol=1e-12)


def test_tables_of_different_variables_stay_apart():
    (atom, _), = sum_of(lambda V, w, I: np.exp(V / 10) * np.exp(w / 10) * V).terms  # fmt: skip
    assert isinstance(atom, Product)
    assert sorted(f.of.name for f, n in atom.factors) == ["V", "w"]


def test_a_rate_of_one_value_is_one_table_however_deep():
    ((atom, c),) = sum_of(lambda V, w, I: 1 / (1 + np.exp(-(V + 40) / 5)) ** 2).terms
    assert (atom.of, c) == (v, 1.0)


def test_a_function_of_several_values_is_a_table_of_their_sum():
    (atom, _), = sum_of(lambda V, w, I: np.exp((V - w) / 10 - 1)).terms  # fmt: skip
    assert isinstance(atom.of, Sum)
    assert terms(atom.of) == {"V": 1.0, "w": -1.0}
    assert atom.of.constant == pytest.approx(-10.0)


def test_a_choice_between_equal_sums_is_no_choice():
    assert sum_of(lambda V, w, I: np.where(w < V, 2 * I, I + I)) == Sum(((i, 2.0),))


def test_what_both_sides_of_a_choice_share_leaves_it():
    value = sum_of(lambda V, w, I: np.where(w < V, I + 3, I))
    assert value.coefficient(i) == 1.0
    (select,) = [a for a, _ in value.terms if isinstance(a, Select)]
    assert (select.yes.constant, select.no.constant) in ((3.0, 0.0), (0.0, -3.0))


def test_a_choice_by_a_known_condition_is_gone():
    assert sum_of(lambda V, w, I: np.where(V - V >= 0, I, w)) == Sum(((i, 1.0),))
    assert sum_of(lambda V, w, I: np.where((V > 0) & (V - V > 1), I, w)) == Sum(((w_, 1.0),))


def longest(value):
    return max(len(term.terms) for term in behind([value]) if isinstance(term, Sum))


def test_a_power_of_many_terms_takes_no_more_terms_than_they_are():
    value = sum_of(lambda V, w, I: (1 + V + w + I) ** 7)
    assert longest(value) <= 4


class Long(Neuron):
    """A sum of more terms than one sum holds: 30 products of two tables."""

    V = State()
    w = State()
    I = Input()
    currents = (1.0, 2.0)

    def update(self, V, w, I):
        total = I
        for k in range(30):
            total = total + np.tanh((V - k) / 16) * np.tanh((w + k) / 16) / (k + 30)
        return V >= 3.0, 0.9 * V + 0.05 * total, 0.95 * w + 0.02 * V


@pytest.mark.slow
def test_a_sum_of_many_terms_is_cut_and_means_the_same():
    value = Long().fixed().lowered.updates["V"]
    products = {term for term in behind([value]) if isinstance(term, Product)}
    assert len(products) == 30
    assert longest(value) == 24
    check_bounds(Long())


def test_dividing_by_a_constant_zero_is_refused_with_its_line():
    def function(V, w, I):
        return I / (V - V)

    with pytest.raises(LoweringError, match="division by zero") as caught:
        sum_of(function)
    assert __file__ in str(caught.value)


class Polynomial(Neuron):
    """V' and w' are quadratic in V, w and I."""

    p0: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    p3: float = 0.0
    p4: float = 0.0
    p5: float = 0.0
    q0: float = 0.0
    q1: float = 0.0
    q2: float = 0.0
    q3: float = 0.0

    V = State()
    w = State()
    I = Input()

    def update(self, V, w, I):
        V_next = self.p0 + V * (self.p1 + self.p3 * w) + self.p2 * w + self.p4 * V**2 + self.p5 * I
        w_next = self.q0 + self.q1 * V + self.q2 * w + self.q3 * (V - w) ** 2
        return V_next >= 100.0, V_next, w_next


LINEAR = st.one_of(st.just(0.0), st.floats(0.01, 2.0), st.floats(-2.0, -0.01))
SQUARE = st.one_of(st.just(0.0), st.floats(0.001, 0.05), st.floats(-0.05, -0.001))
OFFSET = st.one_of(st.just(0.0), st.floats(-100, 100))


def check_bounds(neuron, count=3000, **options):
    """One step of the integer model stays within its bounds of float, from any registers."""
    fixed = neuron.fixed(**options)
    lowered = fixed.lowered
    vectors = random_vectors(fixed, count)
    real = lowered.real(vectors)
    got = lowered.path.evaluator(lowered.path.outputs, ARRAYS)(vectors)
    want = Graph.evaluate(lowered.roots[1:], real)
    for r, expected in zip(lowered.registers.values(), want, strict=True):
        limited = np.clip(expected, r.to_real(r.least), r.to_real(r.most))
        error = np.abs(r.to_real(np.broadcast_to(got[r.name], count)) - limited)
        worst = int(np.argmax(error))
        assert error[worst] <= lowered.bounds[r.name], (
            f"{r.name}: {error[worst]} > {lowered.bounds[r.name]} "
            f"at { ({n: float(v[worst]) for n, v in real.items()}) }"
        )


@more_at_night(15, 100)
def test_a_random_polynomial_stays_within_its_bounds(examples):
    @settings(max_examples=examples)
    @given(
        st.tuples(OFFSET, LINEAR, LINEAR, SQUARE, SQUARE, LINEAR),
        st.tuples(OFFSET, LINEAR, LINEAR, SQUARE),
        st.sampled_from(["nearest", "floor", "stochastic"]),
    )
    def check(p, q, rounding):
        parameters = {f"p{i}": c for i, c in enumerate(p)} | {f"q{i}": c for i, c in enumerate(q)}
        check_bounds(Polynomial(**parameters), rounding=rounding)

    check()


class Tabled(Neuron):
    """A steep table of a state that reaches the top of its word."""

    k: float = 8.0
    V = State(init=100.0)
    I = Input()

    def update(self, V, I):
        return V >= 200.0, 0.5 * V + 10 * np.tanh((V - 128.0) * self.k) + I


def test_a_table_of_a_state_stays_within_its_bound_up_to_the_top_of_the_word():
    check_bounds(Tabled())


class Driven(Neuron):
    """A table of a sum of two states and an input."""

    s: float = 0.05
    V = State()
    w = State()
    I = Input()

    def update(self, V, w, I):
        w_next = 0.95 * w + 5 * np.tanh(self.s * (V - w + I))
        return V >= 100.0, 0.9 * V + 0.2 * I + np.exp(-((0.02 * (V + w)) ** 2)), w_next


@pytest.mark.parametrize("s", [0.01, 0.07, 0.5])
def test_a_table_of_a_sum_stays_within_its_bound(s):
    check_bounds(Driven(s=s))


class Widened(Neuron):
    """w's table overshoots the real interval of w by more than the slack of its register."""

    V = State()
    w = State(guard=14)
    I = Input()

    def update(self, V, w, I):
        return V >= 100.0, 0.5 * V + np.tanh(2 * w + 0.01 * I), np.tanh(V / 20)


def test_a_register_wider_than_its_real_interval_keeps_the_bounds():
    check_bounds(Widened())
