"""Common factors: the same value from fewer multiplications."""

import math

import numpy as np
import pytest
from checks import check_one_step, few, multiplications
from hypothesis import given, settings
from hypothesis import strategies as st

from scneuro import HodgkinHuxley, Input, Neuron, SCConductanceNeuron, State
from scneuro.compiler.algebra.factor import arranged
from scneuro.compiler.algebra.terms import Compare, Lookup, Product, Select, Sum, Variable
from scneuro.compiler.graph import Graph
from scneuro.neurons.hodgkin_huxley import leak, m_type, potassium, sodium

a, b, c, d = (Variable(name) for name in "abcd")
graph = Graph()
table = Lookup(graph.node("call", graph.node("var", value="a"), value=np.exp), a)
positive = Compare(Sum(((b, 1.0),)), graph.node("const", value=1.0), 1.0)
choice = Select(positive, Sum(((c, 1.0),)), Sum((), 2.0))
FACTORS = [a, b, c, d, table]

COEFFICIENT = st.one_of(
    st.sampled_from([1.0, -1.0, 0.5, 3.0, -50.0]),
    st.floats(-100, 100).filter(lambda x: abs(x) > 1e-6),
)
MONOMIAL = st.dictionaries(st.sampled_from(FACTORS), st.integers(1, 4), min_size=1, max_size=3)


def atom_of(monomial):
    factors = tuple(sorted(monomial.items(), key=lambda item: item[0].key))
    return factors[0][0] if len(factors) == 1 and factors[0][1] == 1 else Product(factors)


def value_of(terms, values, constant=0.0):
    """The sum, and the sum of its terms' absolute values, of plain Python numbers."""
    total, size = constant, abs(constant)
    for atom, coefficient in terms:
        x, s = (values[atom],) * 2 if atom in values else (1.0, 1.0)
        if atom not in values:
            for factor, n in atom.factors:
                if isinstance(factor, Sum):
                    y, t = value_of(factor.terms, values, factor.constant)
                else:
                    y, t = values[factor], values[factor]
                x, s = x * y**n, s * abs(t) ** n
        total, size = total + coefficient * x, size + abs(coefficient * s)
    return total, size


def count_of(terms):
    """Multiplications of values in a sum of products, powers by repeated squaring."""
    count = 0
    for atom, _ in terms:
        if isinstance(atom, Product):
            count += len(atom.factors) - 1
            for factor, n in atom.factors:
                count += len(bin(n)) - 3 + bin(n).count("1") - 1
                count += count_of(factor.terms) if isinstance(factor, Sum) else 0
    return count


@settings(max_examples=300)
@given(
    st.lists(st.tuples(MONOMIAL, COEFFICIENT), min_size=1, max_size=8),
    st.lists(st.floats(-4, 4), min_size=6, max_size=6),
)
def test_the_value_is_the_same_and_takes_no_more_multiplications(products, points):
    terms = (*{atom_of(m): k for m, k in products}.items(), (choice, 0.25))
    values = dict(zip([*FACTORS, choice], points, strict=True))
    after = arranged(terms)
    before, size = value_of(terms, values)
    now, also = value_of(after, values)
    assert math.isclose(now, before, rel_tol=0, abs_tol=1e-9 * max(size, also, 1e-300))
    assert count_of(after) <= count_of(terms)


@settings(max_examples=200)
@given(st.lists(st.tuples(MONOMIAL, COEFFICIENT), min_size=1, max_size=8))
def test_what_is_linear_in_a_state_or_a_choice_is_left_as_it_is(products):
    terms = (*{atom_of(m): k for m, k in products}.items(), (choice, 0.25))
    linear = [(x, k) for x, k in terms if isinstance(x, Variable | Select)]
    assert [(x, k) for x, k in arranged(terms) if isinstance(x, Variable | Select)] == linear


def test_a_common_factor_comes_out_with_the_rest_as_a_sum():
    terms = ((Product(((a, 1), (b, 3))), 2.0), (Product(((b, 3), (c, 1))), -6.0))
    ((product, unit),) = arranged(terms)
    assert unit in (2.0, -6.0, 6.0)
    assert (b, 3) in product.factors
    (rest,) = [f for f, _ in product.factors if isinstance(f, Sum)]
    assert unit * rest.coefficient(a) == pytest.approx(2.0)
    assert unit * rest.coefficient(c) == pytest.approx(-6.0)
    assert (count_of(terms), count_of(arranged(terms))) == (6, 3)


def test_products_without_a_common_factor_stay_apart():
    terms = ((Product(((a, 1), (b, 1))), 2.0), (Product(((c, 1), (d, 1))), 3.0))
    assert dict(arranged(terms)) == dict(terms)


class Synapses(Neuron):
    """A membrane driven by conductances that are states."""

    V = State(init=-60.0, range=(-100.0, 50.0))
    g_E = State(range=(0.0, 4.0))
    g_I = State(range=(0.0, 4.0))
    I = Input()

    def current(self, V, g_E, g_I):
        return g_E * (0.0 - V) + g_I * (-80.0 - V)

    def update(self, V, g_E, g_I, I):
        V_next = V + 0.02 * (0.5 * (-60.0 - V) + self.current(V, g_E, g_I))
        return V_next >= -40.0, V_next, 0.9 * g_E + 0.1 * I, 0.95 * g_I + 0.05 * I


class Multiplied(Synapses):
    def current(self, V, g_E, g_I):
        return -(g_I * V) - g_E * V - 80 * g_I


class Gated(Synapses):
    """One gate shared by two driving forces."""

    def current(self, V, g_E, g_I):
        return g_E**3 * g_I * (50 - V) / 64


@pytest.mark.parametrize(
    ("neuron", "count"),
    few(
        [
            (Synapses(), 1),  # V (g_E + g_I), expanded 2
            (Multiplied(), 1),
            (Gated(), 4),  # g_E^3 g_I (50 - V), expanded 5
            (SCConductanceNeuron(), 2),  # each limited by itself
            (HodgkinHuxley(), 4 + 3 + 3),  # m^3 h (V - 50), n^4 (V + 77), each gate's own
            (HodgkinHuxley([sodium, potassium, leak, m_type]), 4 + 3 + 1 + 4),
        ],
        lambda case: case[1] < 12,
    ),
    ids=lambda n: n.name if isinstance(n, Neuron) else n,
)
def test_a_neuron_takes_as_many_multiplications_as_a_person_would_write(neuron, count):
    fixed = neuron.fixed()
    assert multiplications(fixed) == count


@pytest.mark.parametrize("neuron", [Synapses(), Multiplied(), Gated()], ids=lambda n: n.name)
def test_a_factored_update_is_numpys_within_its_bounds(neuron):
    assert check_one_step(neuron) > 0.99


def test_a_state_keeps_its_guard_bits_beside_its_products():
    """V itself is no operand of 16 bits: far from any input it decays to within an LSB."""
    fixed = Synapses().fixed()
    fixed.registers = {"V": -50 << 16, "g_E": 0, "g_I": 0}
    for _ in range(3000):
        fixed.step(I=0.0)
    assert abs(fixed.registers["V"] - (-60 << 16)) <= 1 << 8
    assert np.all(fixed.lowered.registers["V"].guard == 8)
