"""Tables: the error that is stated is the error there is, at every word."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scneuro import AdEx, Input, LoweringError, Neuron, State
from scneuro.compiler.datapath import ARRAYS, Datapath
from scneuro.compiler.table import Table


def outputs_of(lowered, number=1):
    """The words a neuron's table can be given by its first state, and what it answers."""
    r = next(iter(lowered.registers.values()))
    low, high = int(r.to_word(r.low)), int(r.to_word(r.high))
    words = np.arange(low, high + 1)
    (node,) = [n for n in lowered.path.reachable() if n.name == f"table_{number}"]
    registers = np.clip(words << r.guard, r.low, r.high)
    assert np.array_equal(r.to_word(registers), words)
    vectors = {name: np.zeros_like(words) for name in lowered.path.inputs}
    vectors[r.name] = registers
    values = lowered.path.evaluator({"table": node}, ARRAYS)(vectors)["table"]
    return words / 2**r.word.fraction, np.ldexp(values.astype(float), -node.fraction)


def test_the_exponential_of_adex_is_within_one_lsb_at_every_word():
    neuron = AdEx()
    lowered = neuron.fixed().lowered
    points, values = outputs_of(lowered)
    assert points[0] == -128.0
    assert points[-1] >= neuron.V_T + 5 * neuron.Delta_T - 2**-8
    errors = np.abs(values - np.exp((points - neuron.V_T) / neuron.Delta_T))
    assert errors.max() <= 2.0**-8
    assert errors.max() == pytest.approx(lowered.tables[0].error, rel=1e-12)


class WithTable(Neuron):
    """A leaky neuron with some function of V; a table all over the word."""

    V = State()
    I = Input()

    def update(self, V, I):
        return V >= 100.0, 0.9 * V + self.function(V) + I


class Tanh(WithTable):
    def function(self, V):
        return np.tanh(V / 20)


class Steep(WithTable):
    def function(self, V):
        return 3 * np.tanh(2 * V)


class Reciprocal(WithTable):
    def function(self, V):
        return 1 / np.maximum(V, 1.0)


class Gaussian(WithTable):
    def function(self, V):
        return np.exp(-((V / 10) ** 2))


class Kinked(WithTable):
    def function(self, V):
        return np.sqrt(np.abs(V))


@pytest.mark.parametrize("model", [Tanh, Reciprocal, Gaussian, Kinked])
def test_a_table_errs_by_what_it_states(model):
    neuron = model()
    lowered = neuron.fixed().lowered
    (table,) = lowered.tables
    points, values = outputs_of(lowered)
    assert len(points) == table.words == 65536
    error = np.abs(values - neuron.function(points)).max()
    assert error == pytest.approx(table.error, rel=1e-12)
    assert error <= table.budget


def test_a_table_counts_in_the_units_of_the_function_it_is_named_after():
    (table,) = Steep().fixed().lowered.tables
    points, values = outputs_of(Steep().fixed().lowered)
    assert table.text == "tanh((2 * V))"
    assert np.abs(values - np.tanh(2 * points)).max() == pytest.approx(table.error, rel=1e-12)


@pytest.mark.parametrize("budget", [2.0**-4, 2.0**-8, 2.0**-12])
def test_a_budget_is_kept_and_a_smaller_one_takes_more_segments(budget):
    (table,) = Tanh().fixed(table_error=budget).lowered.tables
    assert table.error <= table.budget == budget
    (coarser,) = Tanh().fixed(table_error=4 * budget).lowered.tables
    assert coarser.segments <= table.segments


def test_a_function_undefined_at_a_word_that_can_occur_is_refused():
    class Log(WithTable):
        def function(self, V):
            return np.log(V + 5)

    with pytest.raises(LoweringError, match=r"log.* is nan at -128, which can occur") as caught:
        Log().fixed()
    assert "np.clip" in str(caught.value)


def test_the_word_at_which_a_function_has_its_pole_is_named():
    class Pole(WithTable):
        def function(self, V):
            return 1 / (V - 3.5)

    with pytest.raises(LoweringError, match=r"is inf at 3\.5, which can occur"):
        Pole().fixed()


def test_an_impossible_budget_is_refused():
    with pytest.raises(LoweringError, match=r"no table of tanh.* has an error within 1e-07"):
        Tanh().fixed(table_error=1e-7)


def built(table, low, high, fraction):
    """What a table's nodes answer to every word, as real numbers."""
    path = Datapath()
    word = path.input("word", low, high, fraction)
    node = table.build(path, word, 0.0, "table")
    words = np.arange(low, high + 1)
    memory = path.evaluator({str(n.index): n for n in path.reachable((node,))}, ARRAYS)
    values = memory({"word": words})
    for n in path.reachable((node,)):
        value = np.asarray(values[str(n.index)])
        assert n.low <= value.min(), n.name
        assert value.max() <= n.high, n.name
    return np.ldexp(values[str(node.index)].astype(float), -node.fraction)


@settings(max_examples=40)
@given(
    st.tuples(*[st.floats(-4, 4)] * 3),
    st.floats(0.01, 3.0),
    st.integers(-(2**15), 2**15 - 2),
    st.integers(1, 2**16),
    st.sampled_from([6, 8, 12, 15]),
)
def test_a_table_of_any_smooth_function_errs_by_what_it_states(weights, scale, low, span, fraction):
    a, b, c = weights
    high = min(low + span, 2**15 - 1)

    def function(x):
        return a * np.sin(x / scale) + b * np.tanh(x / 4) + c * np.exp(-((x / 10) ** 2))

    table = Table.fit(function, low=low, high=high, fraction=fraction, text="f")
    points = np.ldexp(np.arange(low, high + 1), -fraction)
    values = built(table, low, high, fraction)
    assert np.abs(values - function(points)).max() == pytest.approx(table.error, rel=1e-9)
    assert table.error <= table.budget
    # and between the words, where an argument that is no word is rounded to one
    offsets = np.random.default_rng(span).uniform(-0.5, 0.5, len(points))
    between = function(np.ldexp(np.arange(low, high + 1) + offsets, -fraction))
    assert np.abs(values - between).max() <= table.error_between


@given(st.floats(-100, 100), st.integers(-(2**15), 2**15 - 1))
def test_a_constant_or_a_single_word_makes_a_table_too(value, word):
    for low, high in ((word, word), (-(2**15), 2**15 - 1)):
        table = Table.fit(lambda x: value + 0 * x, low=low, high=high, fraction=8, text="f")
        assert np.abs(built(table, low, high, 8) - value).max() <= table.error <= table.budget
