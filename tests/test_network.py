"""Networks: maps against their definitions, delays, integer sums, and what is refused."""

import copy
import itertools
import pickle

import numpy as np
import pytest
import scipy.signal
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from scneuro import (
    LIF,
    ConductanceLIF,
    Input,
    LoweringError,
    Network,
    Neuron,
    NoisyLIF,
    ScneuroError,
    State,
)
from scneuro.network import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    Dense,
    Flatten,
    Map,
    Scale,
    Sparse,
    SumPool2d,
    need_network,
)
from scneuro.network.maps import chained
from scneuro.words import nearest


class Relay(Neuron):
    """It fires in the step in which more than a half arrives; v is what arrived."""

    dt: float = 1.0
    v = State(word="Q8.8")
    I = Input(word="Q8.8")

    def update(self, v, I):
        return I > 0.5, I


class Leaky(Neuron):
    """A neuron with some memory, in units of its threshold."""

    leak: float = 0.125
    theta: float = 1.0
    dt: float = 1.0
    currents = (4.0, 2.0)
    v = State(word="Q4.12")
    I = Input(word="Q8.8")

    def update(self, v, I):
        v = v + self.leak * (I - v)
        return v >= self.theta, np.where(v >= self.theta, 0.0, v)


def relays(**connect):
    """An input of 3, and as many relays that it reaches."""
    net = Network()
    net.input("x", 3)
    net.population("out", Relay(), 3)
    net.connect("x", "out", Scale(1.0), **connect)
    return net


def quiet(runs, **options):
    return runs.run(progress=False, **options)


# -- maps against their definitions ---------------------------------------------------------------
def convolved(x, weights, stride, padding, dilation, groups):
    """A convolution, index by index."""
    out, per, *kernel = weights.shape
    x = np.pad(x, ((0, 0), *((p, q) for p, q in padding)))
    sizes = [
        (x.shape[1 + k] - dilation[k] * (kernel[k] - 1) - 1) // stride[k] + 1
        for k in range(len(kernel))
    ]
    found = np.zeros((out, *sizes))
    for o in range(out):
        for at in itertools.product(*map(range, sizes)):
            for c in range(per):
                channel = o // (out // groups) * per + c
                for by in itertools.product(*map(range, kernel)):
                    where = tuple(
                        a * s + b * d for a, s, b, d in zip(at, stride, by, dilation, strict=True)
                    )
                    found[(o, *at)] += weights[(o, c, *by)] * x[(channel, *where)]
    return found


small = st.integers(1, 3)
pairs = st.tuples(small, small)


@given(
    kernel=pairs,
    stride=pairs,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=pairs,
    groups=st.integers(1, 2),
    per=st.integers(1, 2),
    outs=st.integers(1, 2),
    more=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    seed=st.integers(0, 1000),
)
def test_a_convolution_in_two_directions_is_its_definition(
    kernel, stride, padding, dilation, groups, per, outs, more, seed
):
    rng = np.random.default_rng(seed)
    size = [d * (k - 1) + 1 + m for d, k, m in zip(dilation, kernel, more, strict=True)]
    x = rng.integers(-4, 5, (groups * per, *size)).astype(float)
    weights = rng.integers(-4, 5, (groups * outs, per, *kernel))
    bias = rng.integers(-4, 5, groups * outs)
    made = Conv2d(weights, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)
    expected = convolved(x, weights, stride, [(p, p) for p in padding], dilation, groups)
    assert made.shape_out(x.shape) == expected.shape
    assert np.array_equal(made.apply(x[None])[0], expected)
    assert np.array_equal(made.apply(x[None], 2 * weights)[0], 2 * expected)
    with_bias = np.broadcast_to(bias[:, None, None], expected.shape)
    assert np.array_equal(made.biases(x.shape), with_bias)


@given(
    kernel=st.integers(1, 4),
    stride=small,
    padding=st.integers(0, 2),
    dilation=small,
    more=st.integers(0, 5),
    seed=st.integers(0, 1000),
)
def test_a_convolution_in_one_direction_is_its_definition(
    kernel, stride, padding, dilation, more, seed
):
    rng = np.random.default_rng(seed)
    x = rng.integers(-4, 5, (2, dilation * (kernel - 1) + 1 + more)).astype(float)
    weights = rng.integers(-4, 5, (3, 2, kernel))
    made = Conv1d(weights, stride=stride, padding=padding, dilation=dilation)
    expected = convolved(x, weights, [stride], [(padding, padding)], [dilation], 1)
    assert made.shape_out(x.shape) == expected.shape
    assert np.array_equal(made.apply(x[None])[0], expected)


@pytest.mark.parametrize("kernel", [(3, 3), (2, 5), (4, 1)])
def test_padding_by_name_is_what_scipy_calls_it(kernel):
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(1, 7, 8)), rng.normal(size=(1, 1, *kernel))
    valid = scipy.signal.correlate(x[0], weights[0, 0], "valid")
    assert np.allclose(Conv2d(weights, padding="valid").apply(x[None])[0, 0], valid)
    found = Conv2d(weights, padding="same").apply(x[None])[0, 0]
    # where the kernel is even, one more zero lies behind: SciPy has it in front
    whole = scipy.signal.correlate(x[0], weights[0, 0], "full")
    before = [(k - 1) - (k - 1) // 2 for k in kernel]
    assert found.shape == x[0].shape
    expected = whole[before[0] : before[0] + 7, before[1] : before[1] + 8]
    assert np.allclose(found, expected)


@given(
    kernel=pairs,
    stride=st.none() | pairs,
    padding=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    more=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    seed=st.integers(0, 1000),
)
def test_pooling_is_its_definition(kernel, stride, padding, more, seed):
    x = np.random.default_rng(seed).integers(0, 5, (2, *np.add(kernel, more))).astype(float)
    padded = np.pad(x, ((0, 0), *((p, p) for p in padding)))
    step = stride or kernel
    sizes = [(s - k) // t + 1 for s, k, t in zip(padded.shape[1:], kernel, step, strict=True)]
    expected = np.zeros((2, *sizes))
    for c, i, j in np.ndindex(*expected.shape):
        rows = slice(i * step[0], i * step[0] + kernel[0])
        columns = slice(j * step[1], j * step[1] + kernel[1])
        expected[c, i, j] = padded[c, rows, columns].sum()
    pool = SumPool2d(kernel, stride=stride, padding=padding)
    assert pool.shape_out(x.shape) == expected.shape
    assert np.array_equal(pool.apply(x[None])[0], expected)
    mean = AvgPool2d(kernel, stride=stride, padding=padding)
    assert np.allclose(mean.apply(x[None])[0], expected / (kernel[0] * kernel[1]))


@given(seed=st.integers(0, 1000), some=st.floats(0, 1))
def test_a_sparse_matrix_maps_as_the_dense_one(seed, some):
    rng = np.random.default_rng(seed)
    matrix = np.where(rng.random((5, 7)) < some, rng.integers(-9, 10, (5, 7)), 0)
    bias, x = rng.normal(size=5), rng.integers(0, 3, (4, 7)).astype(float)
    dense = Dense(matrix, bias)
    whole = scipy.sparse.coo_array(matrix)
    target, source = np.nonzero(matrix)
    half = matrix[target, source] / 2  # what is there twice adds up
    twice = (np.tile(half, 2), (np.tile(target, 2), np.tile(source, 2)))
    for sparse in (Sparse(whole, bias=bias), Sparse(twice, shape=(5, 7), bias=bias)):
        assert np.array_equal(sparse.apply(x), dense.apply(x))
        assert np.array_equal(sparse.biases((7,)), dense.biases((7,)))
        assert sparse.largest((7,), sparse.weights) == dense.largest((7,), dense.weights)
        for a, b in zip(sparse.synapses((7,)), dense.synapses((7,)), strict=True):
            assert np.array_equal(a, b)


def matrix_of(made, shape):
    """The matrix of a map, column by column."""
    count = int(np.prod(shape))
    return np.stack([made.apply(row.reshape(1, *shape)).ravel() for row in np.eye(count)], axis=1)


CHAINS = {
    "pooled": [Conv2d(np.arange(-4, 4).reshape(2, 1, 2, 2)), AvgPool2d(2), Flatten()],
    "scaled": [Scale(np.arange(25).reshape(1, 5, 5) % 3), Conv2d(np.ones((2, 1, 3, 3)), [1, -2])],
    "two layers": [
        Flatten(),
        Dense(np.arange(50).reshape(2, 25) % 7, [1, 2]),
        Dense([[1, -1]], [3]),
    ],
    "moved only": [SumPool2d(2), Flatten()],
}


@pytest.mark.parametrize("maps", CHAINS.values(), ids=CHAINS)
def test_maps_in_turn_are_the_product_of_their_matrices_and_carry_biases_on(maps):
    shape, product, bias = (1, 5, 5), np.eye(25), np.zeros(25)
    for each in maps:
        matrix = matrix_of(each, shape)
        product, bias = matrix @ product, matrix @ bias
        if each.bias is not None:
            bias = bias + each.biases(shape).ravel()
        shape = each.shape_out(shape)
    made = chained(maps, (1, 5, 5))
    assert made.shape_out((1, 5, 5)) == shape
    assert np.allclose(matrix_of(made, (1, 5, 5)), product)
    found = made.biases((1, 5, 5))
    assert np.allclose(np.zeros(len(bias)) if found is None else found.ravel(), bias)
    target, source, values = made.synapses((1, 5, 5))
    again = np.zeros_like(product)
    again[target, source] = values
    assert np.allclose(again, product)
    assert np.array_equal(target, target[np.lexsort((target, source))])


def test_the_largest_sum_is_that_of_all_weights_of_a_sign():
    weights = np.array([[3, -5, 2], [-4, 1, -7]])
    assert Dense(weights).largest((3,), weights) == 11


# -- time -----------------------------------------------------------------------------------------
def pulses(steps=8):
    x = np.zeros((steps, 3))
    x[0], x[2] = (1, 0, 1), (0, 1, 0)
    return x


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_a_spike_arrives_as_many_steps_later_as_its_delay(delay):
    net, x = relays(delay=delay), pulses()
    expected = np.vstack([np.zeros((delay, 3)), x])[: len(x)]
    for runs in (net, net.fixed()):
        assert np.array_equal(quiet(runs, x=x).spike["out"], expected)


def test_populations_run_in_the_order_of_the_graph_whatever_order_they_were_named_in():
    net = Network()
    net.input("x", 3)
    for name in "cba":
        net.population(name, Relay(), 3)
    for source, target in ("xa", "ab", "bc"):
        net.connect(source, target, Scale())
    assert net.order == ["a", "b", "c"]
    assert np.array_equal(quiet(net, x=pulses()).spike["c"], pulses())


def test_a_loop_needs_a_delay_and_has_its_spikes_again_after_it():
    net = relays()
    with pytest.raises(ScneuroError, match=r"out waits for itself within a step.*\n.*delay=1"):
        net.connect("out", "out", Scale())
    assert len(net.projections) == 1
    net.connect("out", "out", Scale(), delay=3)
    spike = quiet(net, x=np.eye(1, 10)[0][:, None] * [1, 0, 0]).spike["out"]
    assert np.flatnonzero(spike[:, 0]).tolist() == [0, 3, 6, 9]


def test_a_loop_of_two_populations_needs_a_delay():
    net = relays()
    net.population("back", Relay(), 3)
    net.connect("out", "back", Scale())
    with pytest.raises(ScneuroError, match="out, back wait for each other"):
        net.connect("back", "out", Scale())


def two_layers(rng, **connect):
    net = Network()
    net.input("x", (1, 4, 4), most=3)
    net.population("a", Leaky(), (2, 3, 3))
    net.population("b", Leaky(), 4, parameters={"theta": rng.uniform(0.5, 1.5, 4)})
    net.connect("x", "a", Conv2d(rng.normal(size=(2, 1, 2, 2)), [0.5, -0.25]), **connect)
    net.connect("a", "b", Dense(rng.normal(size=(4, 18)), rng.normal(size=4)), delay=1)
    net.connect("b", "b", Dense(rng.normal(size=(4, 4))), delay=2)
    net.connect("x", "b", [SumPool2d(2), Flatten()], delay=1, bits=4)
    return net


def test_many_runs_at_once_are_each_as_if_alone():
    rng = np.random.default_rng(1)
    net = two_layers(rng)
    x = rng.integers(0, 4, (40, 5, 1, 4, 4))
    for runs, off in ((net, 1e-12), (net.fixed(), 0)):  # float adds up in another order
        together = quiet(runs, x=x)
        assert together.spike["a"].shape == (40, 5, 18)
        assert together.spike["b"].any()
        for k in range(5):
            alone = quiet(runs, x=x[:, k])
            for name, values in alone.arrays().items():
                assert np.allclose(together[name][:, k], values, rtol=0, atol=off), name


def test_a_run_is_the_same_again_and_an_input_may_be_flat():
    rng = np.random.default_rng(2)
    net, x = two_layers(rng), rng.integers(0, 4, (30, 1, 4, 4))
    for runs in (net, net.fixed()):
        first, again = quiet(runs, x=x), quiet(runs, x=x.reshape(30, 16))
        assert np.array_equal(first["b/v"], again["b/v"])


def test_the_sum_that_arrives_is_that_of_spikes_weights_biases_and_the_default():
    rng = np.random.default_rng(3)
    net, x = two_layers(rng), rng.integers(0, 4, (30, 16)).astype(float)
    run = quiet(net, x=x)
    first, second, third, _ = (p.map for p in net.projections)
    expected = np.zeros(4)
    a, b = run.spike["a"].astype(float), run.spike["b"].astype(float)
    for t in range(30):
        expected = second.biases((2, 3, 3)).copy()
        if t >= 1:
            expected += second.weights @ a[t - 1]
            expected += x[t - 1].reshape(2, 2, 2, 2).sum(axis=(1, 3)).ravel()
        if t >= 2:
            expected += third.weights @ b[t - 2]
        assert np.allclose(run["b/I"][t], expected)
    rows = convolved(x[0].reshape(1, 4, 4), first.weights, (1, 1), [(0, 0)] * 2, (1, 1), 1)
    assert np.allclose(run["a/I"][0], np.add(rows, [[[0.5]], [[-0.25]]]).ravel())


# -- integers -------------------------------------------------------------------------------------
def test_integer_sums_are_exact_and_rounded_once():
    """Weights of two binary points and a bias, in Python's integers."""
    rng = np.random.default_rng(4)
    coarse, fine = rng.uniform(-3, 3, (4, 6)), rng.uniform(-0.2, 0.2, (4, 4))
    bias = rng.normal(0, 0.3, 4)
    net = Network()
    net.input("x", 6, most=2)
    net.population("out", Leaky(), 4)
    net.connect("x", "out", Dense(coarse, bias), bits=6, point=3)
    net.connect("out", "out", Dense(fine), delay=1, point=9)
    fixed = net.fixed()
    total = fixed.totals["out", "I"]
    assert (total.fraction, total.drop) == (9, 1)
    x = rng.integers(0, 3, (60, 6))
    run = quiet(fixed, x=x)
    assert run.spike["out"].any()
    before = [0] * 4
    for t in range(60):
        words = []
        for k in range(4):
            whole = nearest(float(bias[k]), 9)
            whole += sum(nearest(float(coarse[k, j]), 3) * int(x[t, j]) << 6 for j in range(6))
            whole += sum(nearest(float(fine[k, j]), 9) * int(before[j]) for j in range(4))
            words.append((whole + 1) >> 1)
        assert np.array_equal(run["out/I"][t] * 256, words)
        before = run.spike["out"][t]


def test_the_width_of_a_sum_holds_whatever_arrives():
    net = Network()
    net.input("x", 100, most=255)
    net.population("out", Leaky(), 2)
    net.connect("x", "out", Dense(np.vstack([np.full(100, 0.9), np.full(100, -0.9)])))
    total = net.fixed().totals["out", "I"]
    most = 100 * 255 * 115 << 1  # 0.9 in 8 bits is 115/128, and the word has 8 fraction bits
    assert net.fixed().totals["out", "I"].synapses[0].point == 7
    assert 2 ** (total.width - 2) <= most + 1 < 2 ** (total.width - 1)


def test_a_sum_beyond_its_word_is_limited_and_counted():
    net = Network()
    net.input("x", 2)
    net.population("out", Relay(), 3)
    net.connect("x", "out", Dense([[100, 100], [-100, -100], [1, 1]]))
    x = np.array([[1, 1], [0, 1], [0, 0], [1, 1]])
    run = quiet(net.fixed(), x=x)
    assert run["out/I"][0].tolist() == [32767 / 256, -128, 2]
    assert run["out/I"][1].tolist() == [100, -100, 1]
    assert run.saturated == {"out.I": 4}
    assert quiet(net, x=x)["out/I"][0].tolist() == [200, -200, 2]
    assert quiet(net.fixed(), x=x[1:3]).saturated == {}


def test_a_state_at_its_limit_is_counted():
    net = Network()
    net.input("x", 1)
    net.population("out", Leaky(theta=7.9, leak=1.0), 2)
    net.connect("x", "out", Dense([[-20], [1]]))
    assert quiet(net.fixed(), x=np.ones((5, 1))).saturated == {"out.v": 5}


def test_weights_have_the_most_fraction_bits_that_all_of_them_leave():
    net = Network()
    net.input("x", 1)
    net.population("out", Leaky(), 3)
    for weights, bits, point in (
        ([0.99, 0, 0], 8, 7),
        ([0.999, 0, 0], 8, 6),
        ([-1, 0, 0], 8, 7),
        ([100, 0, 0], 8, 0),
        ([1000, 0, 0], 8, -3),
        ([0.01, 0, 0], 4, 9),
        ([0, 0, 0], 8, 0),
    ):
        p = net.connect("x", "out", Dense(np.array(weights)[:, None]), bits=bits)
        (synapses,) = (s for s in net.fixed().totals["out", "I"].synapses if s.projection is p)
        assert synapses.point == point, (weights, bits)
        assert synapses.error <= 2.0**-point / 2
        net.projections.pop()


def test_currents_enter_as_words_and_may_be_mapped():
    net = Network()
    net.input("x", 2, kind="current")
    net.population("out", Leaky(), 2)
    net.connect("x", "out", Dense([[1.5, 0], [0, -2]]))
    x = np.random.default_rng(5).normal(0, 3, (50, 2))
    assert np.allclose(quiet(net, x=x)["out/I"], x * [1.5, -2])
    expected = np.floor(x * [1.5, -2] * 256 + 0.5) / 256
    assert np.array_equal(quiet(net.fixed(), x=x)["out/I"], expected)


# -- words ----------------------------------------------------------------------------------------
def test_calibration_chooses_the_finest_words_that_hold_twice_what_was_there():
    rng = np.random.default_rng(6)
    net = two_layers(rng)
    x = rng.integers(0, 4, (60, 16))
    run, chosen = quiet(net, x=x), net.calibrate(x=x, progress=False)
    for name in ("a", "b"):
        for variable in ("v", "I"):
            values, fraction = run[f"{name}/{variable}"], int(chosen[name][variable].split(".")[1])
            most = 2 * np.abs(values).max()
            assert most <= 2 ** (15 - fraction)
            assert fraction == 15 or most > 2 ** (14 - fraction) - 1e-3
    assert net.layers["b"].population.parameters["theta"].shape == (4,)
    before = quiet(net, x=x)
    assert np.array_equal(before.spike["a"], run.spike["a"])
    assert net.calibrate(x=0 * x, progress=False) != chosen  # what was chosen is chosen again
    assert net.calibrate(x=x, progress=False) == chosen


def test_a_word_that_was_set_stays():
    neuron = Leaky()
    neuron.set_words(v="Q6.10")
    net = Network()
    net.input("x", 1)
    net.population("out", neuron, 1)
    net.connect("x", "out", Scale())
    chosen = net.calibrate(x=np.ones((9, 1)), progress=False)
    assert chosen == {"out": {"v": "Q6.10", "I": "Q3.13"}}


# -- what a run gives -----------------------------------------------------------------------------
def test_a_recording_has_what_was_asked_for_by_name():
    net, x = relays(), pulses()
    run = quiet(net, x=x)
    assert [*run.arrays()] == ["out/spike", "out/v", "out/I"]
    assert run.t.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert run.spikes["out"].tolist() == [1, 1, 1]
    assert [*quiet(net, x=x, record=[]).arrays()] == ["out/spike"]
    assert [*quiet(net, x=x, record={"out": ["v"]}).arrays()] == ["out/spike", "out/v"]
    with pytest.raises(KeyError, match="no 'out/w' was recorded; there are out/spike"):
        run["out/w"]
    assert "out 3" in repr(run)


def test_what_leaves_is_what_projects_to_nothing_unless_it_is_named():
    net = relays()
    net.population("next", Relay(), 3)
    net.connect("out", "next", Scale())
    net.connect("next", "next", Scale(), delay=1)
    assert net.outputs == ["next"]
    net.output("out")
    assert net.outputs == ["out"]


def test_a_network_and_its_integers_can_be_copied():
    rng = np.random.default_rng(7)
    net, x = two_layers(rng), rng.integers(0, 4, (20, 16))
    expected = quiet(net, x=x)["b/v"]
    for made in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert np.array_equal(quiet(made, x=x)["b/v"], expected)


# -- what is refused ------------------------------------------------------------------------------
def says(text, kind=ValueError):
    return pytest.raises(kind, match=text)


@pytest.mark.parametrize(
    ("made", "kind", "text"),
    [
        (lambda: Dense([1, 2]), ValueError, r"Dense: weights must have shape \(targets, sources\)"),
        (lambda: Dense([[1, np.nan]]), ValueError, r"Dense: weights is nan at index \(0, 1\)"),
        (lambda: Dense([["a"]]), TypeError, "Dense: weights must be numbers"),
        (lambda: Dense([[1, 2]], [1, 2]), ValueError, r"bias has shape \(2,\), not \(1,\)"),
        (lambda: Dense([[1, 2]], [np.inf]), ValueError, "Dense: bias is inf"),
        (lambda: Sparse(3), TypeError, "Sparse takes a sparse matrix of SciPy"),
        (lambda: Sparse(([1.0], ([0], [0]))), ValueError, "give shape="),
        (
            lambda: Sparse(([1.0], ([2], [0])), shape=(2, 2)),
            ValueError,
            "a target must be a whole number from 0 to 1",
        ),
        (
            lambda: Sparse(([1.0, 2.0], ([0], [0])), shape=(2, 2)),
            ValueError,
            r"\(2,\) weights, \(1,\) targets",
        ),
        (lambda: Conv2d(np.ones((2, 2))), ValueError, "Conv2d: weights must have shape"),
        (lambda: Conv2d(np.ones((2, 1, 2, 2)), stride=0), ValueError, "stride must be at least 1"),
        (lambda: Conv2d(np.ones((2, 1, 2, 2)), stride=1.5), TypeError, "stride must be a whole"),
        (lambda: Conv2d(np.ones((2, 1, 2, 2)), padding="some"), ValueError, "not 'some'"),
        (
            lambda: Conv2d(np.ones((2, 1, 2, 2)), padding="same", stride=2),
            ValueError,
            'padding="same" needs a stride of 1',
        ),
        (lambda: Conv2d(np.ones((3, 1, 2, 2)), groups=2), ValueError, "not a multiple of 2"),
        (lambda: Conv1d(np.ones((3, 1))), ValueError, "Conv1d: weights must have shape"),
        (lambda: SumPool2d(0), ValueError, "SumPool2d: kernel must be at least 1"),
        (lambda: SumPool2d(2, padding=-1), ValueError, "padding must be at least 0"),
        (lambda: Scale(np.nan), ValueError, "Scale: factor is nan"),
    ],
)
def test_a_map_of_nonsense_is_refused(made, kind, text):
    with says(text, kind):
        made()


@pytest.mark.parametrize(
    ("one", "shape", "text"),
    [
        (Dense([[1, 2]]), (3,), "Dense takes 2 neurons, not 3"),
        (Sparse(scipy.sparse.eye_array(2)), (3,), "Sparse takes 2 neurons, not 3"),
        (Conv2d(np.ones((1, 2, 2, 2))), (1, 4, 4), r"takes \(2, height, width\), not 1x4x4"),
        (Conv2d(np.ones((1, 1, 5, 2))), (1, 4, 4), "a kernel of 5x2 does not fit 4x4"),
        (Conv1d(np.ones((1, 2, 2))), (4,), r"Conv1d takes \(channels, length\), not 4"),
        (SumPool2d(2), (4, 4), r"SumPool2d takes \(channels, height, width\), not 4x4"),
        (SumPool2d(5), (1, 4, 4), "a kernel of 5x5 does not fit 4x4"),
        (Flatten(0, 3), (2, 2), r"Flatten\(0, 3\) does not fit 2x2"),
        (Scale([1, 2]), (3,), "Scale takes 2, not 3"),
    ],
)
def test_a_shape_that_a_map_does_not_take_is_refused(one, shape, text):
    with says(text):
        one.shape_out(shape)
    net = Network()
    net.input("x", shape)
    net.population("out", Relay(), 1)
    with says(f"network: x > out: .*{text}"):
        net.connect("x", "out", one)


@pytest.mark.parametrize(
    ("act", "kind", "text"),
    [
        (lambda n: n.input("x", 3), ValueError, "has a node 'x' already"),
        (lambda n: n.input(3, 3), TypeError, "a node's name must be text"),
        (lambda n: n.input("y", 0), ValueError, "shape of y must be at least 1"),
        (lambda n: n.input("y", 2.5), TypeError, "shape of y must be a whole number"),
        (lambda n: n.input("y", 2, kind="light"), ValueError, "spikes or current, not 'light'"),
        (lambda n: n.input("y", 2, most=0), ValueError, "most of y must be 1 to 255"),
        (lambda n: n.population("p", Relay, 2), TypeError, r"write Relay\(\)"),
        (lambda n: n.population("p", Relay(dt=2.0), 2), ValueError, "same dt"),
        (lambda n: n.population("out", Relay(), 2), ValueError, "has a node 'out' already"),
        (
            lambda n: n.population("p", Leaky(), 2, parameters={"theta": [1, 2, 3]}),
            ValueError,
            r"theta has shape \(3,\), and there are 2 neurons",
        ),
        (lambda n: n.connect("z", "out", Scale()), ValueError, "no node 'z'; it has x, out"),
        (lambda n: n.connect("ouT", "out", Scale()), ValueError, "did you mean out"),
        (lambda n: n.connect("out", "x", Scale()), ValueError, "x is an input: nothing can"),
        (lambda n: n.connect("x", "out", []), ValueError, "needs a map"),
        (lambda n: n.connect("x", "out", [[1]]), TypeError, "made of maps such as"),
        (lambda n: n.connect("x", "out", Dense), TypeError, "made of maps such as"),
        (lambda n: n.connect("x", "out", 3.0), TypeError, "x > out: a projection is made of maps"),
        (lambda n: n.connect("x", "out", Dense([[1, 1, 1]])), ValueError, "makes 1 of 3, and out"),
        (lambda n: n.connect("x", "out", Scale(), to="J"), ValueError, "no input 'J'; it has I"),
        (lambda n: n.connect("x", "out", Scale(), delay=-1), ValueError, "delay must be 0 to"),
        (lambda n: n.connect("x", "out", Scale(), delay=0.5), TypeError, "delay must be a whole"),
        (lambda n: n.connect("x", "out", Scale(), bits=1), ValueError, "bits must be 2 to 16"),
        (lambda n: n.connect("x", "out", Scale(), point=99), ValueError, "point must be -32 to 32"),
        (lambda n: n.output("x"), ValueError, "x is an input, not a population"),
        (lambda n: n.output("z"), ValueError, "no node 'z'"),
        (lambda n: quiet(n), TypeError, "x must be given"),
        (lambda n: quiet(n, y=[[1]]), TypeError, "no input 'y'; it has x"),
        (
            lambda n: quiet(n, x=np.ones((4, 2))),
            ValueError,
            r"x must have shape \(T, 3\).*\(4, 2\)",
        ),
        (lambda n: quiet(n, x=np.ones((0, 3))), ValueError, r"not \(0, 3\)"),
        (lambda n: quiet(n, x=np.ones((4, 3)) / 2), ValueError, 'is 0.5 in step 0; .*"current"'),
        (lambda n: quiet(n, x=-np.ones((4, 3))), ValueError, "0 to 1, and is -1 in step 0"),
        (lambda n: quiet(n, x=2 * np.ones((4, 3))), ValueError, "is 2 in step 0; .*most="),
        (lambda n: quiet(n, x=np.full((4, 3), np.nan)), ValueError, "x is nan at index"),
        (lambda n: quiet(n, x=pulses(), record=["z"]), ValueError, "no population 'z'"),
        (lambda n: quiet(n, x=pulses(), record={"out": ["w"]}), ValueError, "out has no 'w'"),
        (lambda n: n.calibrate(x=pulses(), margin=0.5), ValueError, "margin must be at least 1"),
    ],
)
def test_what_a_network_cannot_be_or_take_is_refused_in_words(act, kind, text):
    net = relays()
    before = len(net.projections), list(net.layers), list(net.inputs)
    with says(text, kind) as caught:
        act(net)
    assert str(caught.value).count("\n") <= 1
    assert (len(net.projections), list(net.layers), list(net.inputs)) == before


def test_several_inputs_must_be_of_the_same_runs():
    net = relays()
    net.input("y", 2)
    net.connect("y", "out", Dense(np.ones((3, 2))))
    with says("different lengths: x .*, y "):
        quiet(net, x=np.ones((4, 3)), y=np.ones((5, 2)))
    with says("some inputs are of several runs, others of one"):
        quiet(net, x=np.ones((4, 3)), y=np.ones((4, 6, 2)))


def test_a_network_that_is_not_whole_does_not_run():
    net = Network("empty")
    with says("empty has no population", ScneuroError):
        quiet(net)
    net.population("out", Relay(), 1)
    with says("empty has no input", ScneuroError):
        net.fixed()
    with says("takes a network, not int", TypeError):
        need_network(3, "it")


def test_weights_that_do_not_fit_their_binary_point_are_refused_with_what_would():
    net = relays()
    net.connect("x", "out", Dense(3 * np.eye(3)), point=6)
    with says("a weight of 3 does not fit 8 bits, 6 of them fraction\n.*at most 5", LoweringError):
        net.fixed()


def test_binary_points_that_lie_too_far_apart_are_refused():
    net = relays()
    net.connect("x", "out", Dense(1e6 * np.eye(3)), bits=8)
    net.connect("x", "out", Dense(1e-6 * np.eye(3)), bits=8)
    with says("out.I: a sum would take .* bits", LoweringError):
        net.fixed()


def test_a_neuron_that_is_no_hardware_is_refused_with_its_name():
    class Wide(Neuron):
        dt: float = 1.0
        v = State(range=(0.0, 1e9))
        I = Input()

        def update(self, v, I):
            return v > 1, v + I

    net = Network()
    net.input("x", 1)
    net.population("wide", Wide(), 1)
    net.connect("x", "wide", Scale())
    with says("wide: Wide: the range of v", LoweringError):
        net.fixed()


def test_several_runs_of_noisy_neurons_are_refused():
    net = Network()
    net.input("x", 1, kind="current")
    net.population("noisy", NoisyLIF(), 2)
    net.connect("x", "noisy", Dense([[1], [1]]))
    assert quiet(net, x=np.full((9, 1), 2.0)).spike["noisy"].shape == (9, 2)
    with says("noisy draw noise"):
        quiet(net, x=np.full((9, 2, 1), 2.0))
    net = Network()
    net.input("x", 1, kind="current")
    net.population("out", LIF(), 1)
    with says("a current has no delay"):
        net.connect("x", "out", Scale(), delay=1)


def test_a_map_of_ones_own_works():
    class Reverse(Map):
        weights = np.ones(1)

        def shape_out(self, shape):
            return shape

        def apply(self, x, weights=None):
            return x[:, ::-1] * (self.weights if weights is None else weights)[0]

    net = Network()
    net.input("x", 3)
    net.population("out", Relay(), 3)
    net.connect("x", "out", Reverse())
    for runs in (net, net.fixed()):
        assert np.array_equal(quiet(runs, x=pulses()).spike["out"], pulses()[:, ::-1])


def test_words_that_a_calibration_chose_are_chosen_again():
    net = Network()
    net.input("x", 4)
    net.population("a", LIF(dt=1.0, t_ref=2.0), 3)
    net.population("b", ConductanceLIF(dt=1.0), 2)
    net.connect("x", "a", Dense(np.full((3, 4), 9.0)))
    net.connect("a", "b", Dense(np.full((2, 3), 4.0)), to="I_exc")
    weak = net.calibrate(x=np.zeros((30, 4)), progress=False)
    strong = net.calibrate(x=np.ones((30, 4)), progress=False)
    assert strong["a"]["I"] != weak["a"]["I"]
    assert strong["a"]["r"] == "Q16.0"  # it declares its range: its word stays
    run = net.fixed().run(x=np.ones((30, 4)), progress=False)
    assert not run.saturated
    assert run.spike["b"].any()


def test_populations_draw_noise_of_their_own():
    net = Network()
    net.input("c", 3, kind="current")
    for name in "ab":
        net.population(name, NoisyLIF(dt=1.0), 3)
        net.connect("c", name, Scale(1.0))
    held = {"c": np.full((200, 3), 2.0)}
    for run in (net.run(progress=False, **held), net.fixed().run(progress=False, **held)):
        assert not np.array_equal(run["a/V"], run["b/V"])
        assert abs(np.corrcoef(run["a/V"].ravel(), run["b/V"].ravel())[0, 1]) < 0.3


@pytest.mark.parametrize("name", ["progress", "self", "record", "margin", "a\nb"])
def test_names_that_run_takes_for_something_else_are_refused(name):
    with pytest.raises(ValueError, match="a node cannot be called"):
        Network().input(name, 3)
