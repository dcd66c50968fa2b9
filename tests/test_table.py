"""Tables: the error that is stated is the error there is, at every word."""

import itertools

import numpy as np
import pytest
from checks import check_one_step, few
from hypothesis import given, settings
from hypothesis import strategies as st

from scneuro import AdEx, Input, LoweringError, Neuron, State
from scneuro.compiler.datapath import ARRAYS, Datapath
from scneuro.compiler.table import Unfit, fit
from scneuro.sim.compare.vectors import random_vectors


def outputs_of(lowered, number=1, most=1 << 18):
    """Arguments a neuron's table can be given by its first state, and what it answers.

    All of them, or ``most`` spread evenly: a refined table is addressed by more of the register
    than its word.
    """
    table = lowered.tables[number - 1]
    r = next(iter(lowered.registers.values()))
    drop = r.fraction - table.address_fraction
    half = (1 << drop) >> 1
    low, high = (r.low + half) >> drop, (r.high + half) >> drop
    if drop == r.guard:
        high = min(high, 2**15 - 1)
    assert high - low + 1 >= table.words  # where the function is flat, no address is needed
    addresses = np.unique(np.append(np.arange(low, high + 1, 1 + (high - low) // most), high))
    (node,) = [n for n in lowered.path.reachable() if n.name == f"table_{number}"]
    registers = np.clip(addresses << drop, r.low, r.high)
    vectors = {name: np.zeros_like(addresses) for name in lowered.path.inputs}
    vectors[r.name] = registers
    values = lowered.path.evaluator({"table": node}, ARRAYS)(vectors)["table"]
    real = np.ldexp(values.astype(float), -node.fraction)
    return np.ldexp(addresses.astype(float), drop - r.fraction), real


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

    V = State(range=(-128, 128))
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


class Logarithm(WithTable):
    def function(self, V):
        return 3 * np.log(np.maximum(V, 0.05))


@pytest.mark.parametrize("model", [Tanh, Steep, Reciprocal, Gaussian, Kinked, Logarithm])
def test_a_table_errs_by_what_it_states(model):
    neuron = model()
    lowered = neuron.fixed().lowered
    (table,) = lowered.tables
    points, values = outputs_of(lowered)
    unit = 3 if model in (Steep, Logarithm) else 1  # a factor is the coefficient's
    error = np.abs(values - neuron.function(points) / unit).max()
    if len(points) == table.words:  # then every address was looked at
        assert error == pytest.approx(table.error, rel=1e-12)
    assert table.error / 3 < error <= table.error <= 1.2 * table.budget
    assert unit * table.error <= lowered.bounds["V"] <= lowered.budgets["V"] == 2.0**-8
    assert check_one_step(neuron) > 0.95


def test_where_16_bits_are_enough_a_table_is_addressed_by_the_word():
    for model in (Tanh, Gaussian):
        (table,) = model().fixed().lowered.tables
        assert table.words == 65536
        assert len(table.regions) == 1


def test_a_steep_table_is_addressed_by_more_than_the_word_and_is_finer_where_it_bends():
    (table,) = Steep().fixed().lowered.tables
    assert 2**16 < table.words <= 2**24
    shifts = [region.shift for region in table.regions]
    assert len(set(shifts)) > 2
    assert shifts.index(min(shifts)) not in (0, len(shifts) - 1)
    assert table.segments <= 1024


def test_a_root_of_all_of_a_word_is_finest_where_it_is_0():
    """Ever closer to 0 it is ever steeper: a segment there is narrower than a word."""
    lowered = Kinked().fixed().lowered
    (table,) = lowered.tables
    drop = lowered.registers["V"].fraction - 16
    assert table.words == 2**24 >> drop
    finest = min(table.regions, key=lambda region: region.shift)
    assert finest.shift < 8
    following = table.regions[table.regions.index(finest) + 1]
    assert finest.first <= 0 <= following.first
    assert table.segments <= 1024


def test_a_table_counts_in_the_units_of_the_function_it_is_named_after():
    lowered = Steep().fixed().lowered
    (table,) = lowered.tables
    points, values = outputs_of(lowered)
    assert table.text == "tanh((2 * V))"
    error = np.abs(values - np.tanh(2 * points)).max()
    assert table.error / 3 < error <= table.error


@pytest.mark.parametrize("budget", [2.0**-4, 2.0**-8, 2.0**-12])
def test_a_table_error_is_kept_and_a_smaller_one_takes_more_segments(budget):
    allowed = 1 + 8 * 256 * budget  # a coarse table needs a state that may be off as far
    (table,) = Tanh().fixed(table_error=budget, budget=allowed).lowered.tables
    assert table.error <= table.budget == budget
    (coarser,) = Tanh().fixed(table_error=4 * budget, budget=4 * allowed).lowered.tables
    assert coarser.segments <= table.segments


def test_a_table_error_beyond_the_budget_of_its_state_is_refused():
    message = r"V may be off by .* LSB.*its budget is 1; most of it, .* is tanh\(\(V / 20\)\)"
    with pytest.raises(LoweringError, match=message):
        Tanh().fixed(table_error=2.0**-4)


def test_a_function_undefined_at_a_word_that_can_occur_is_refused():
    class Log(WithTable):
        def function(self, V):
            return np.log(V + 5)

    with pytest.raises(
        LoweringError, match=r"log.* is nan where V = -128, which can occur"
    ) as caught:
        Log().fixed()
    assert "np.maximum" in str(caught.value)
    assert __file__ in str(caught.value)


def test_the_word_at_which_a_function_has_its_pole_is_named():
    class Pole(WithTable):
        def update(self, V, I):
            return V >= 100.0, 0.9 * V + I * (1 / (V - 3.5))

    with pytest.raises(LoweringError, match=r"is inf where V = 3\.5, which can occur"):
        Pole().fixed()


def test_a_pole_beyond_which_the_state_saturates_is_a_step_from_one_end_to_the_other():
    class Pole(WithTable):
        def function(self, V):
            return 1 / (V - 3.5)

    neuron = Pole()
    fixed = neuron.fixed()
    (table,) = fixed.lowered.tables
    assert min(region.shift for region in table.regions) <= 1
    near = random_vectors(fixed, 20_001)
    near["V"] = int(3.5 * 2**16) + np.arange(-10_000, 10_001)
    with np.errstate(divide="ignore"):
        assert check_one_step(neuron, vectors=near) == 1.0
        assert check_one_step(neuron, 20_000) > 0.95


@pytest.mark.slow
def test_an_impossible_table_error_is_refused():
    assert Tanh().fixed(table_error=1e-9).lowered.tables[0].error <= 1e-9
    with pytest.raises(LoweringError, match=r"no table of tanh.* within 1e-22 in 4096 rows"):
        Tanh().fixed(table_error=1e-22)
    with pytest.raises(
        Unfit, match=r"no table of f on 16777216 words has an error within 1e-12 in"
    ):
        fit(np.tanh, low=-(2**23), high=2**23 - 1, fraction=20, text="f", tolerance=1e-12)


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

    table = fit(function, low=low, high=high, fraction=fraction, text="f")
    points = np.ldexp(np.arange(low, high + 1), -fraction)
    values = built(table, low, high, fraction)
    assert np.abs(values - function(points)).max() == pytest.approx(table.error, rel=1e-9)
    assert table.error <= table.budget
    # and between the words, where an argument that is no word is rounded to one
    offsets = np.random.default_rng(span).uniform(-0.5, 0.5, len(points))
    between = function(np.ldexp(np.arange(low, high + 1) + offsets, -fraction))
    assert np.abs(values - between).max() <= table.error_between


FINE = {
    "reciprocal": lambda x: 1 / np.maximum(x, 1.0),
    "root": lambda x: np.sqrt(np.abs(x)),
    "two kinks": lambda x: np.abs(x - 0.7312) + 0.3 * np.abs(x + 3.1234567),
    "bell": lambda x: np.exp(-((x / 3) ** 2)),
    "logarithm": lambda x: np.log(np.maximum(x, 0.05)),
    "a step": lambda x: np.where(x > 1.234, 1.0, 0.0),
}


@pytest.mark.parametrize(
    ("name", "tolerance"),
    few(
        itertools.product(FINE, (2.0**-7, 2.0**-9)),
        lambda case: case[0] != "root" and case[1] == 2.0**-7,
    ),
)
def test_a_table_of_more_addresses_than_are_looked_at_errs_by_no_more_than_it_states(
    name, tolerance
):
    low, high, function = -(2**20) - 77, 2**19, FINE[name]
    table = fit(function, low=low, high=high, fraction=16, text=name, tolerance=tolerance)
    addresses = np.arange(low, high + 1)
    values = np.ldexp(table.outputs(addresses).astype(float), -table.fraction)
    exact = function(np.ldexp(addresses.astype(float), -16))
    assert np.abs(values - exact).max() <= table.error <= 1.25 * tolerance
    assert np.array_equal(values[::997], built(table, low, high, 16)[::997])
    assert table.low <= table.outputs(addresses).min()
    assert table.outputs(addresses).max() <= table.high


@pytest.mark.parametrize("cycles", [256, 1000.3, 4096])
def test_no_period_hides_between_the_addresses_that_are_looked_at(cycles):
    """sin(2 pi 256 x) is 0 at every 512th part."""
    with pytest.raises(Unfit):
        fit(
            lambda x: np.sin(2 * np.pi * cycles * x),
            low=-(2**23),
            high=2**23 - 1,
            fraction=16,
            text="f",
            tolerance=0.5,
        )


@given(st.floats(-100, 100), st.integers(-(2**15), 2**15 - 1))
def test_a_constant_or_a_single_word_makes_a_table_too(value, word):
    for low, high in ((word, word), (-(2**15), 2**15 - 1)):
        table = fit(lambda x: value + 0 * x, low=low, high=high, fraction=8, text="f")
        assert np.abs(built(table, low, high, 8) - value).max() <= table.error <= table.budget
