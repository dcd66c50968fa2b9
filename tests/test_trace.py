"""Tracing: what NumPy can do becomes the same graph, and what it cannot is refused by its line."""

import linecache
import math
import types
from pathlib import Path

import numpy as np
import pytest
from checks import more_at_night
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import scneuro
from scneuro.compiler.graph import Graph
from scneuro.compiler.trace import Traced, trace
from scneuro.errors import TraceError

NUMBERS = st.floats(-128, 128)
VALUES = hnp.arrays(np.float64, 8, elements=NUMBERS)

ARITHMETIC = {
    "add": lambda V, I: V + I,
    "add a constant": lambda V, I: V + 3.25,
    "a constant plus": lambda V, I: 3 + V,
    "subtract": lambda V, I: V - I,
    "a constant minus": lambda V, I: 0.5 - V,
    "multiply": lambda V, I: V * I,
    "a constant times": lambda V, I: 2.5 * V,
    "divide": lambda V, I: V / I,
    "divide by a constant": lambda V, I: V / 7,
    "a constant over": lambda V, I: 7 / V,
    "negate": lambda V, I: -V,
    "plus sign": lambda V, I: +V,
    "square": lambda V, I: V**2,
    "cube": lambda V, I: V**3,
    "eighth power": lambda V, I: V**8,
    "first power": lambda V, I: V**1,
    "power zero": lambda V, I: V**0 + I,
    "power minus one": lambda V, I: V**-1,
    "power minus three": lambda V, I: V**-3,
    "power one half": lambda V, I: V**0.5,
    "fractional power": lambda V, I: np.abs(V) ** 0.3 + V**1.5,
    "negative fractional power": lambda V, I: np.power(V, -2.25),
    "ninth power": lambda V, I: V**9,
    "two to the power": lambda V, I: 2.0 ** (V / 16),
    "np.power": lambda V, I: np.power(V, 2),
    "np.square": lambda V, I: np.square(V),
    "np.reciprocal": lambda V, I: np.reciprocal(V),
    "in place": lambda V, I: in_place(V, I),
    "NumPy scalars": lambda V, I: np.float64(2.0) * V + np.int64(3) - np.float32(0.5),
    "zero-dimensional array": lambda V, I: np.array(2.0) * V,
    "bool constant": lambda V, I: V * True,
}
FUNCTIONS = {
    "exp": lambda V, I: np.exp(V / 20),
    "log": lambda V, I: np.log(V),
    "sqrt": lambda V, I: np.sqrt(V),
    "tanh": lambda V, I: np.tanh(V),
    "expm1": lambda V, I: np.expm1(V / 20),
    "log1p": lambda V, I: np.log1p(V),
    "sin": lambda V, I: np.sin(V),
    "cos": lambda V, I: np.cos(V),
    "abs": lambda V, I: np.abs(V),
    "builtin abs": lambda V, I: abs(V),
    "fabs": lambda V, I: np.fabs(V - I),
    "minimum": lambda V, I: np.minimum(V, I),
    "minimum of a constant": lambda V, I: np.minimum(0.0, V),
    "maximum": lambda V, I: np.maximum(V, I),
    "fmin and fmax": lambda V, I: np.fmin(V, 1.0) + np.fmax(I, 2.0),
    "clip": lambda V, I: np.clip(V, -5.0, 5.0),
    "clip below": lambda V, I: np.clip(V, 0.0, None),
    "clip above": lambda V, I: np.clip(V, None, I),
    "clip by keyword": lambda V, I: np.clip(V, a_min=-1.0, a_max=1.0),
    "where": lambda V, I: np.where(V > I, V, 2 * I),
    "where constants": lambda V, I: np.where(V >= 0, 1.0, -1.0),
    "condition as a number": lambda V, I: V + (I > 0),
    "composition": lambda V, I: 0.1 * (V + 40) / (1 - np.exp(-(V + 40) / 10)),
}
CONDITIONS = {
    "greater": lambda V, I: V > I,
    "greater or equal": lambda V, I: V >= 3,
    "less": lambda V, I: V < I,
    "less or equal": lambda V, I: np.less_equal(3, V),
    "equal": lambda V, I: V == I,
    "not equal": lambda V, I: V != I,
    "and": lambda V, I: (V > 0) & (I > 0),
    "or": lambda V, I: (V > 0) | (I > 0),
    "not": lambda V, I: ~(V > I),
    "np.logical_and": lambda V, I: np.logical_and(V > 0, I > 0),
    "np.logical_or": lambda V, I: np.logical_or(V > 0, I > 0),
    "np.logical_not": lambda V, I: np.logical_not(V > 0),
    "and a constant": lambda V, I: (V > 0) & np.True_,
    "nested": lambda V, I: ~((V > I) & (V < 100)) | (I == V),
}


def in_place(V, I):
    V += 1
    V *= I
    return V


def traced(update):
    """(spike, V) of ``update`` as a graph of V and I."""
    return trace(update, ["V"], ["I"], "Mine")


@more_at_night(15, 100)
@pytest.mark.parametrize("name", [*ARITHMETIC, *FUNCTIONS])
def test_a_traced_number_is_what_numpy_computes(name, examples):
    function = {**ARITHMETIC, **FUNCTIONS}[name]
    roots = traced(lambda V, I: (V > 0, function(V, I)))

    @settings(max_examples=examples)
    @given(VALUES, VALUES)
    def check(V, I):
        (value,) = Graph.evaluate(roots[1:], {"V": V, "I": I})
        with np.errstate(all="ignore"):
            expected = function(V.copy(), I)
        np.testing.assert_allclose(value, expected, rtol=1e-13, atol=0)

    check()


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_traced_condition_is_what_numpy_decides(name):
    roots = traced(lambda V, I: (CONDITIONS[name](V, I), V))

    @given(VALUES, VALUES)
    def check(V, I):
        I = np.where(V > 64, V, I)  # some that are equal
        (value,) = Graph.evaluate(roots[:1], {"V": V, "I": I})
        assert np.array_equal(np.broadcast_to(value, V.shape), CONDITIONS[name](V, I))

    check()


def test_equal_operations_are_one_node():
    spike, V = traced(lambda V, I: (V + I > 0, (V + I) * (V + I)))
    assert V.args[0] is V.args[1]
    assert spike.args[1] is V.args[0] or spike.args[0] is V.args[0]


def test_a_condition_can_be_imposed_on_the_evaluation():
    spike, V = traced(lambda V, I: (V > 0, np.where(V > 0, 1.0, I)))
    given_ = {"V": np.array(-1.0), "I": np.array(5.0)}
    assert Graph.evaluate((V,), given_)[0] == 5.0
    assert Graph.evaluate((V,), given_, {spike: np.array(True)})[0] == 1.0


# -- what cannot be traced ------------------------------------------------------------------------
COUNT = 0
BUFFER = np.zeros(1)


def an_if(V, I):
    if V > I:
        V = I
    return V > 0, V


def a_while(V, I):
    while V > 1:
        V = V - 1
    return V > 0, V


def a_conditional_expression(V, I):
    V = I if V > 3 else V
    return V > 0, V


def a_math_function(V, I):
    x = math.exp(V)
    return V > 0, V + x


def a_float(V, I):
    x = float(V)
    return V > 0, V + x


def an_int(V, I):
    return V > 0, V + int(I)


def a_round(V, I):
    return V > 0, V + round(I)


def a_min(V, I):
    V = min(V, 1)
    return V > 0, V


def a_max(V, I):
    V = max(V, I)
    return V > 0, V


def an_and(V, I):
    spike = V > 0 and I > 0
    return spike, V


def an_or(V, I):
    spike = V > 0 or I > 0
    return spike, V


def a_not(V, I):
    spike = not V > 0
    return spike, V


def a_chain(V, I):
    spike = 0 < V < 30
    return spike, V


def a_random_number(V, I):
    V = V + np.random.normal()
    return V > 0, V


def a_random_number_around_V(V, I):
    V = np.random.normal(V, 1.0)
    return V > 0, V


def a_counter(V, I):
    global COUNT
    COUNT += 1
    V = V + COUNT
    return V > 0, V


def an_out(V, I):
    x = np.exp(V, out=BUFFER)
    return V > 0, V + x


def an_array(V, I):
    V = V + np.array([1.0, 2.0])
    return V > 0, V


def an_array_first(V, I):
    V = np.ones(3) * V
    return V > 0, V


def a_list(V, I):
    V = np.where(V > 0, [1.0, 2.0], V)
    return V > 0, V


def a_reduction(V, I):
    V = np.add.reduce(V)
    return V > 0, V


def a_sum(V, I):
    V = np.sum(V)
    return V > 0, V


def a_floor(V, I):
    V = np.floor(V)
    return V > 0, V


def an_index(V, I):
    V = V[0]
    return V > 0, V


def a_remainder(V, I):
    V = V % 3
    return V > 0, V


def a_power_of_two_values(V, I):
    V = V**I
    return V > 0, V


def a_number_as_condition(V, I):
    V = np.where(V, 1.0, 0.0)
    return V > 0, V


def a_logical_of_numbers(V, I):
    spike = V & I
    return spike, V


def an_infinite_constant(V, I):
    V = np.minimum(V, np.inf)
    return V > 0, V


def a_method(V, I):
    V = V.clip(0, 1)
    return V > 0, V


def a_rounding(V, I):
    V = np.rint(V)
    return V > 0, V


def a_truncation(V, I):
    V = np.trunc(V)
    return V > 0, V


def a_test_for_nan(V, I):
    spike = np.isnan(V)
    return spike, V


def an_assignment(V, I):
    V[V > 3] = 0.0
    return V > 0, V


def an_attribute(V, I):
    V.x = 3
    return V > 0, V


def a_matrix_product(V, I):
    V = np.ones(3) @ V
    return V > 0, V


def a_whole_number(V, I):
    V = V.astype(int)
    return V > 0, V


def a_maximum(V, I):
    V = np.max([V, I])
    return V > 0, V


def an_unknown_function(V, I):
    V = np.gradient(V)
    return V > 0, V


def an_unknown_ufunc(V, I):
    V = np.arctan2(V, I)
    return V > 0, V


def a_remainder_by_a_value(V, I):
    V = V % I
    return V > 0, V


def a_varying_table(V, I):
    V = np.interp(V, [0.0, 1.0], [0.0, I])
    return V > 0, V


def a_tangled_table(V, I):
    V = np.interp(V, [1.0, 0.0], [0.0, 2.0])
    return V > 0, V


def an_any(V, I):
    spike = np.any(V > 3)
    return spike, V


def a_conversion(V, I):
    V = np.float64(V)
    return V > 0, V


UNTRACEABLE = [
    (an_if, "if V > I:", "np.where(condition, a, b)"),
    (a_while, "while V > 1:", "np.where(condition, a, b)"),
    (a_conditional_expression, "V = I if V > 3 else V", "np.where(condition, a, b)"),
    (a_math_function, "x = math.exp(V)", "np.exp"),
    (a_float, "x = float(V)", "no conversion is needed"),
    (an_int, "return V > 0, V + int(I)", "no conversion is needed"),
    (a_round, "return V > 0, V + round(I)", "no conversion is needed"),
    (a_min, "V = min(V, 1)", "np.minimum(a, b)"),
    (a_max, "V = max(V, I)", "np.maximum(a, b)"),
    (an_and, "spike = V > 0 and I > 0", "use & between conditions"),
    (an_or, "spike = V > 0 or I > 0", "use | between conditions"),
    (a_not, "spike = not V > 0", "use ~condition"),
    (a_chain, "spike = 0 < V < 30", "(a < x) & (x < b)"),
    (a_random_number, "V = V + np.random.normal()", "declare a Noise"),
    (a_random_number_around_V, "V = np.random.normal(V, 1.0)", "declare a Noise"),
    (a_counter, "V = V + COUNT", "declare what it remembers as a State"),
    (an_out, "x = np.exp(V, out=BUFFER)", "np.exp"),
    (an_array, "V = V + np.array([1.0, 2.0])", "a neuron's parameters are single numbers"),
    (an_array_first, "V = np.ones(3) * V", "a neuron's parameters are single numbers"),
    (a_list, "V = np.where(V > 0, [1.0, 2.0], V)", "a neuron's parameters are single numbers"),
    (a_reduction, "V = np.add.reduce(V)", "np.where"),
    (a_sum, "V = np.sum(V)", "np.sum([V, w], axis=0)"),
    (a_rounding, "V = np.rint(V)", "np.floor(x + 0.5)"),
    (a_truncation, "V = np.trunc(V)", "np.where"),
    (a_test_for_nan, "spike = np.isnan(V)", "always finite"),
    (an_assignment, "V[V > 3] = 0.0", "V = np.where(condition, value, V)"),
    (an_attribute, "V.x = 3", "has no attribute 'x'"),
    (a_matrix_product, "V = np.ones(3) @ V", "W @ np.array([V, w])"),
    (a_whole_number, "V = V.astype(int)", "cannot be int64"),
    (a_maximum, "V = np.max([V, I])", "np.maximum(a, b)"),
    (an_unknown_function, "V = np.gradient(V)", "np.gradient cannot be traced"),
    (an_unknown_ufunc, "V = np.arctan2(V, I)", "np.arctan2 cannot be traced"),
    (a_remainder_by_a_value, "V = V % I", "by anything but a positive constant"),
    (a_varying_table, "V = np.interp(V, [0.0, 1.0], [0.0, I])", "constant points and values"),
    (a_tangled_table, "V = np.interp(V, [1.0, 0.0], [0.0, 2.0])", "points that increase"),
    (an_any, "spike = np.any(V > 3)", "use | between conditions"),
    (a_conversion, "V = np.float64(V)", "no conversion is needed"),
    (a_floor, "V = np.floor(V)", "State(range=(low, high))"),
    (an_index, "V = V[0]", "a State for each of its elements"),
    (a_remainder, "V = V % 3", "np.where(x >= period, x - period, x)"),
    (a_power_of_two_values, "V = V**I", "np.exp(p * np.log(x))"),
    (a_number_as_condition, "V = np.where(V, 1.0, 0.0)", "np.where(x > 0, a, b)"),
    (a_logical_of_numbers, "spike = V & I", "needs conditions"),
    (an_infinite_constant, "V = np.minimum(V, np.inf)", "inf"),
    (a_method, "V = V.clip(0, 1)", "np.clip"),
]


@pytest.mark.parametrize(("update", "line", "form"), UNTRACEABLE)
def test_what_cannot_be_traced_is_refused_by_file_line_and_numpy_form(update, line, form):
    with pytest.raises(TraceError) as caught:
        traced(update)
    text = str(caught.value)
    assert __file__ in text
    assert line in text
    assert form in text
    first = update.__code__.co_firstlineno
    source = Path(__file__).read_text().splitlines()
    number = next(n for n in range(first, first + 6) if line in source[n - 1])
    assert f"{__file__}:{number}" in text


def too_few(V, I):
    return V > 0


def too_many(V, I):
    return V > 0, V, I


def a_list_of_values(V, I):
    return [V > 0, V]


def nothing(V, I):
    V + I


@pytest.mark.parametrize("update", [too_few, too_many, a_list_of_values, nothing])
def test_the_wrong_number_of_values_is_refused(update):
    with pytest.raises(TraceError) as caught:
        traced(update)
    text = str(caught.value)
    assert "Mine.update() must return the spike flag and the next value of V (2 values)" in text
    assert __file__ in text


def a_number_as_spike(V, I):
    return V + I, V


def test_a_number_as_spike_flag_is_refused():
    with pytest.raises(TraceError) as caught:
        traced(a_number_as_spike)
    text = str(caught.value)
    assert "must return a condition as its spike flag, not the number (V + I)" in text
    assert "return a comparison" in text
    assert __file__ in text


def test_a_hint_never_names_a_function_that_cannot_be_traced():
    def update(V, I):
        return V > 0, V + math.floor(I)

    with pytest.raises(TraceError) as caught:
        traced(update)
    assert "np.floor" not in caught.value.hint


def test_remembering_by_returning_another_value_is_noticed():
    calls = []

    def update(V, I):
        calls.append(1)
        up, down = V + 1, V - 1
        return V > 0, up if len(calls) % 2 else down

    with pytest.raises(TraceError, match="not the same twice"):
        traced(update)


def test_remembering_by_doing_more_the_second_time_is_noticed():
    calls = []

    def update(V, I):
        calls.append(1)
        spike = V > 0
        return spike, V if len(calls) == 1 else V + I

    with pytest.raises(TraceError, match="not the same twice"):
        traced(update)


def test_a_bug_in_update_keeps_its_own_message_and_cause():
    def update(V, I):
        return V > 0, V + undefined_name  # noqa: F821

    with pytest.raises(TraceError, match=r"NameError.*undefined_name") as caught:
        traced(update)
    assert isinstance(caught.value.__cause__, NameError)


def test_a_line_in_a_package_next_to_this_one_counts_as_the_users(monkeypatch):
    """``scneuro_models/mine.py`` begins like ``scneuro/`` but is not inside it."""
    path = str(Path(scneuro.__file__).parent) + "_models/mine.py"
    source = "def update(V, I):\n    return V > 0, float(V)\n"
    lines = (len(source), None, source.splitlines(keepends=True), path)
    monkeypatch.setitem(linecache.cache, path, lines)
    module = types.ModuleType("mine")
    exec(compile(source, path, "exec"), module.__dict__)
    with pytest.raises(TraceError) as caught:
        traced(module.update)
    assert f"{path}:2" in str(caught.value)


def test_a_traced_value_is_no_dictionary_key():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Traced(Graph(), Graph().node("var", value="V")))
