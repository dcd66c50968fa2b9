"""NIR: every primitive, spikes against the equations, round trips, and what is refused."""

import itertools
import json
import pickle
from itertools import pairwise

import h5py
import nir
import numpy as np
import pytest
import scipy.linalg
from checks import few

from scneuro import LIF, FixedNeuron, Network, ScneuroError
from scneuro.cli import main
from scneuro.errors import FileTrouble
from scneuro.network import Dense, Scale, Sparse
from scneuro.network.nir import neurons, read_nir, write_nir
from scneuro.sim import parity


def full(count, value):
    return np.full(count, float(value))


def lif(count, tau=0.02, r=1.0, leak=0.0, theta=1.0, reset=0.0):
    return nir.LIF(*(full(count, v) for v in (tau, r, leak, theta, reset)))


def li(count, tau=0.02):
    return nir.LI(full(count, tau), full(count, 1), full(count, 0))


def cuba(count, tau_syn=0.005, tau_mem=0.02, r=1.0, leak=0.0, theta=1.0, reset=0.0, w_in=1.0):
    return nir.CubaLIF(*(full(count, v) for v in (tau_syn, tau_mem, r, leak, theta, reset, w_in)))


def cuba_li(count):
    return nir.CubaLI(*(full(count, v) for v in (0.005, 0.02, 1, 0, 1)))


def graph(edges, **nodes):
    """A graph of nodes, and edges such as ``"a b c"``, each leading to the next."""
    found = []
    for line in edges:
        names = line.split()
        found += pairwise(names)
    return nir.NIRGraph(nodes=nodes, edges=found, type_check=False)


def ends(n, m):
    return {"input": nir.Input(np.array([n])), "output": nir.Output(np.array([m]))}


def one(node, count=1):
    """An input, a node, and an output."""
    return graph(["input node output"], **ends(count, count), node=node)


def spikes(steps, count, chance=0.1, seed=0):
    return (np.random.default_rng(seed).random((steps, count)) < chance).astype(float)


def quiet(runs, **options):
    return runs.run(progress=False, **options)


def read(source, dt=1.0, **options):
    return read_nir(source, dt=dt, **options)


# -- spikes against the equations -----------------------------------------------------------------
HIDDEN, STEPS = 40, 256


def recurrent(rng, count=HIDDEN):
    """A net as training makes them: a recurrent layer, per-neuron constants, and a readout."""
    return graph(
        ["input fc hidden rec hidden", "hidden out readout output"],
        **ends(12, 4),
        fc=nir.Affine(rng.normal(0, 1.2, (count, 12)), rng.normal(0, 0.1, count)),
        hidden=nir.CubaLIF(
            tau_syn=rng.uniform(0.003, 0.01, count),
            tau_mem=rng.uniform(0.01, 0.03, count),
            r=rng.uniform(0.8, 1.5, count),
            v_leak=rng.uniform(-0.05, 0.05, count),
            v_threshold=rng.uniform(0.3, 0.6, count),
            v_reset=rng.uniform(-0.1, 0.0, count),
            w_in=rng.uniform(0.8, 1.2, count),
        ),
        rec=nir.Linear(rng.normal(0, 0.35, (count, count))),
        out=nir.Linear(rng.normal(0, 1.5, (4, count))),
        readout=lif(4, theta=0.1),
    )


def evaluated(g, x, *, dt=1e-3, subtract=False):
    """The spikes of a recurrent net, from the equations alone."""
    n, w = g.nodes["hidden"], {k: g.nodes[k].weight for k in ("fc", "rec", "out")}
    i, v = np.zeros(HIDDEN), n.v_leak.copy()
    o = g.nodes["readout"]
    u, before = o.v_leak.copy(), np.zeros(HIDDEN)
    hidden, out = [], []
    for now in x:
        arrived = w["fc"] @ now + g.nodes["fc"].bias + w["rec"] @ before
        i = i + dt / n.tau_syn * (-i + n.w_in * arrived)
        v = v + dt / n.tau_mem * (n.v_leak - v + n.r * i)
        fired = v > n.v_threshold
        v = np.where(fired, v - n.v_threshold + n.v_reset if subtract else n.v_reset, v)
        u = u + dt / o.tau * (o.v_leak - u + o.r * (w["out"] @ fired))
        spoke = u > o.v_threshold
        u = np.where(spoke, u - o.v_threshold if subtract else o.v_reset, u)
        before = fired.astype(float)
        hidden.append(fired)
        out.append(spoke)
    return np.array(hidden), np.array(out)


@pytest.mark.parametrize("reset", ["value", "subtract"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_spike_of_a_recurrent_net_is_that_of_its_equations(seed, reset):
    g = recurrent(np.random.default_rng(seed))
    x = spikes(STEPS, 12, 0.2, seed)
    hidden, out = evaluated(g, x, subtract=reset == "subtract")
    run = quiet(read(g, reset=reset), input=x)
    assert 150 < hidden.sum() < 5000
    assert out.sum() > 5
    assert np.array_equal(run.spike["hidden"], hidden)
    assert np.array_equal(run.spike["readout"], out)


@pytest.mark.parametrize("dt", [0.5, 1.0, 4.0])
def test_every_spike_of_two_layers_is_that_of_their_equations(dt):
    rng = np.random.default_rng(3)
    w = [rng.normal(0, 1.5, (HIDDEN, 12)), rng.normal(0, 0.7, (5, HIDDEN))]
    tau, theta = rng.uniform(0.01, 0.03, HIDDEN), rng.uniform(0.3, 0.9, HIDDEN)
    g = graph(
        ["input a first b second output"],
        **ends(12, 5),
        a=nir.Linear(w[0]),
        first=nir.LIF(tau, full(HIDDEN, 1.3), full(HIDDEN, 0), theta, full(HIDDEN, -0.1)),
        b=nir.Linear(w[1]),
        second=lif(5, theta=0.2),
    )
    x, v, u = spikes(STEPS, 12, 0.3), np.zeros(HIDDEN), np.zeros(5)
    first, second = [], []
    for now in x:
        v = v + dt / 1000 / tau * (0 - v + 1.3 * (w[0] @ now))
        first.append(v > theta)
        v = np.where(first[-1], -0.1, v)
        u = u + dt / 1000 / 0.02 * (0 - u + w[1] @ first[-1])
        second.append(u > 0.2)
        u = np.where(second[-1], 0, u)
    run = quiet(read(g, dt=dt), input=x)
    assert np.sum(second) > 2
    assert np.array_equal(run.spike["first"], first)
    assert np.array_equal(run.spike["second"], second)


def test_the_equations_have_a_time_step_and_an_order_that_matter():
    """The old current, or another step, gives other spikes: so the tests above can tell."""
    g = recurrent(np.random.default_rng(0))
    x = spikes(STEPS, 12, 0.2)
    hidden, _ = evaluated(g, x)
    assert not np.array_equal(hidden, evaluated(g, x, dt=0.9e-3)[0])
    assert not np.array_equal(quiet(read(g, method="exact"), input=x).spike["hidden"], hidden)


@pytest.mark.parametrize("tau_syn", [0.005, 0.02])
def test_an_exact_step_is_the_solution_of_the_equations(tau_syn):
    """Against the exponential of their matrix."""
    g = one(nir.CubaLI(full(1, tau_syn), full(1, 0.02), full(1, 1.3), full(1, 0.2), full(1, 0.7)))
    x = np.array([3.0, 0, 0, 5, 0, -2])
    run = quiet(read(g, dt=4.0, method="exact", inputs="current"), input=x[:, None])
    slopes = [[-1 / 0.02, 1.3 / 0.02, 0.2 / 0.02], [0, -1 / tau_syn, 0], [0, 0, 0]]  # of v, i, 1
    v, i, found = 0.2, 0.0, []
    for now in x:
        slopes[1][2] = 0.7 * now / tau_syn
        v, i, _ = scipy.linalg.expm(4e-3 * np.array(slopes)) @ [v, i, 1]
        found.append((v, i))
    assert np.allclose(run["node/v"][:, 0], np.array(found)[:, 0], rtol=0, atol=1e-12)
    assert np.allclose(run["node/i"][:, 0], np.array(found)[:, 1], rtol=0, atol=1e-12)


def test_an_exact_step_of_a_leak_is_its_solution():
    run = quiet(read(one(lif(1, tau=0.02, theta=9)), dt=30.0, method="exact"), input=[[1], [0]])
    e = np.exp(-1.5)
    assert np.allclose(run["node/v"][:, 0], [1 - e, (1 - e) * e])


def trajectory(node, values, **options):
    net = read(one(node), inputs="current", **options)
    run = quiet(net, input=np.array(values)[:, None])
    return run["node/v"][:, 0], run.spike["node"][:, 0].astype(int).tolist()


def test_a_neuron_fires_strictly_above_its_threshold():
    node = nir.IF(full(1, 1000), full(1, 1), full(1, 0))
    v, fired = trajectory(node, [0.5, 0.5, 0.5])
    assert (v.tolist(), fired) == ([0.5, 1.0, 0.0], [0, 0, 1])
    assert trajectory(nir.Threshold(full(1, 1)), [0.5, 1.0, 1.5])[1] == [0, 0, 1]


def test_a_spike_sets_the_potential_or_takes_the_threshold_off():
    node = nir.IF(full(1, 1000), full(1, 1), full(1, -0.25))
    assert trajectory(node, [1.5, 0, 0.5])[0].tolist() == [-0.25, -0.25, 0.25]
    assert trajectory(node, [1.5, 0, 0.5], reset="subtract")[0].tolist() == [0.25, 0.25, 0.75]


def test_integrators_are_read_and_never_fire():
    for node in (nir.I(full(1, 1000)), li(1, 0.001), cuba_li(1)):
        v, fired = trajectory(node, [3.0, 0, 1.0])
        assert not any(fired)
        assert v[0] > 0
    assert trajectory(nir.I(full(1, 500)), [3.0, 0, -1.0])[0].tolist() == [1.5, 1.5, 1.0]
    assert trajectory(li(1, 0.002), [3.0, 0, 1.0])[0].tolist() == [1.5, 0.75, 0.875]


@pytest.mark.parametrize(
    ("integrator", "expected"),
    [
        (nir.I(full(1, 1000)), [0, 1, 1, 1, 0]),
        (li(1, 0.002), [0, 0, 0, 1, 0]),
        (nir.CubaLI(*(full(1, v) for v in (0.001, 0.002, 1, 0, 1))), [0, 0, 0, 1, 0]),
    ],
)
def test_an_integrator_and_its_threshold_are_one_neuron_without_reset(integrator, expected):
    g = graph(
        ["input sum over output"],
        **ends(1, 1),
        sum=integrator,
        over=nir.Threshold(full(1, 1)),
    )
    net = read(g, inputs="current")
    assert list(net.layers) == ["sum"]
    assert net.outputs == ["sum"]
    run = quiet(net, input=np.array([[0.5], [1], [0], [2], [-4]]))
    assert run.spike["sum"][:, 0].astype(int).tolist() == expected


# -- neurons like any other -----------------------------------------------------------------------
NEURONS = [
    getattr(neurons, name) for name in neurons.__all__ if isinstance(getattr(neurons, name), type)
]
FORMS = [
    pytest.param(cls, form, id="-".join((cls.__name__, *form)))
    for cls in NEURONS
    for form in ({}, {"exact": True}, {"subtract": True})
    if form.keys() <= cls().parameters.keys()
]


@pytest.mark.parametrize(("cls", "form"), FORMS)
def test_a_neuron_of_nir_pickles_and_is_bit_equal_in_gates(cls, form):
    neuron = cls(**form)
    assert pickle.loads(pickle.dumps(neuron)) == neuron
    assert isinstance(neuron.fixed(), FixedNeuron)
    assert parity(neuron, np.tile([*neuron.currents, -1.0], 30), progress=False).ok


# -- integers -------------------------------------------------------------------------------------
def trained(seed, bits=None):
    """A recurrent net as training leaves one: even weights, 3 to 10 % of the bits are spikes.

    With ``bits``, its weights and biases are on the grid that so many bits leave.
    """
    rng = np.random.default_rng(seed)
    g = recurrent(rng)
    arrays = {"fc": (HIDDEN, 12), "rec": (HIDDEN, HIDDEN), "out": (4, HIDDEN)}
    for (name, shape), size in zip(arrays.items(), (2.5, 0.4, 2.0), strict=True):
        weights = rng.uniform(-size, size, shape)
        if bits:
            grid = 2.0 ** (np.ceil(np.log2(size)) - bits + 1)
            weights = np.clip(np.rint(weights / grid), 1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1)
            weights = weights * grid
        g.nodes[name].weight = weights
    for name, value in {"r": 1.0, "w_in": 1.0, "v_leak": 0.0, "v_reset": 0.0}.items():
        setattr(g.nodes["hidden"], name, full(HIDDEN, value))
    g.nodes["fc"].bias = np.rint(rng.normal(0, 0.1, HIDDEN) * 2**10) / 2**10
    return g


@pytest.mark.parametrize(("kept", "bits"), few([(8, 8), (None, 16)], lambda case: case[1] == 8))
@pytest.mark.parametrize("seed", few((2, 5), lambda seed: seed == 2))
def test_integers_and_float_have_the_same_spikes_but_for_one_in_five_hundred_bits(kept, bits, seed):
    """Of weights that 8 bits hold, and of any weights in 16 bits.

    The words are chosen by another stimulus than the one that is compared.
    """
    net = read(trained(seed, kept), bits=bits)
    net.calibrate(input=spikes(STEPS, 12, 0.2, seed + 10), progress=False)
    x = spikes(STEPS, 12, 0.2, seed)
    exact, found = quiet(net, input=x), quiet(net.fixed(), input=x)
    assert found.saturated == {}
    assert 0.02 < exact.spike["hidden"].mean() < 0.12
    assert np.mean(exact.spike["hidden"] != found.spike["hidden"]) <= 0.002


def test_what_an_input_reaches_in_a_net_is_not_what_its_neuron_is_held_at_alone():
    """Parameters that differ make the input a factor, which would be limited to its currents."""
    each = (np.array(v) for v in ([0.005, 0.01, 0.01], [0.01, 0.02, 0.03], [1.0, 1.5, 2.0]))
    rest = (full(3, v) for v in (0, 60, 0))
    g = one(nir.CubaLIF(*each, *rest, np.array([1.0, 1.5, 2.0])), 3)
    net = read(g, inputs="current")
    x = np.full((50, 3), 40.0)
    net.calibrate(input=x, progress=False)
    exact, found = quiet(net, input=x), quiet(net.fixed(), input=x)
    assert exact.spike["node"].any()
    assert np.allclose(exact["node/v"], found["node/v"], atol=0.01)
    assert found.saturated == {}
    # as declared, it holds 8: once for a current, once for the input's limits
    assert quiet(read(g, inputs="current").fixed(), input=x).saturated["node.I"] >= 150


def test_a_threshold_that_no_calibration_reached_is_reached_later():
    net = read(one(lif(2, theta=1.5), 2), inputs="current")
    net.calibrate(input=np.full((20, 2), 0.1), progress=False)
    assert net.layers["node"].population.neuron.state_variables["v"].word == "Q2.14"
    net = read(one(lif(2, theta=30.0), 2), inputs="current")
    assert any("node: v_threshold is beyond v's word Q4.12: calibrate" in n for n in net.notes)
    net.calibrate(input=np.full((20, 2), 0.1), progress=False)
    assert net.layers["node"].population.neuron.state_variables["v"].word == "Q6.10"


# -- every primitive, and graphs ------------------------------------------------------------------
def reads(g, x, expected, **options):
    """Whether a net that ends in a readout reads what is expected."""
    net = read(g, **options)
    found = quiet(net, input=x)["output/v"]
    assert np.allclose(found, np.reshape(expected, found.shape), rtol=0, atol=1e-9)
    return net


def through(n, m, *nodes, shape=None):
    """A chain of nodes, from an input to an output."""
    names = {f"n{k}": node for k, node in enumerate(nodes)}
    g = graph([" ".join(("input", *names, "output"))], **ends(n, m), **names)
    if shape is not None:
        g.nodes["input"] = nir.Input(np.array(shape))
    return g


RNG = np.random.default_rng(5)
IMAGE = (2, 6, 5)
KERNEL = RNG.normal(size=(3, 2, 2, 3))
BIAS = RNG.normal(size=3)


def image():
    return spikes(7, 60, 0.4).reshape(7, *IMAGE)


def slid(x):
    """The convolution of KERNEL over images, with strides of (2, 1)."""
    found = np.zeros((len(x), 3, 3, 3))
    for t, o, i, j in np.ndindex(*found.shape):
        found[t, o, i, j] = np.sum(KERNEL[o] * x[t, :, 2 * i : 2 * i + 2, j : j + 3])
    return found


def test_linear_affine_and_scale():
    w, b, x = RNG.normal(size=(4, 3)), RNG.normal(size=4), spikes(9, 3, 0.5)
    reads(through(3, 4, nir.Linear(w)), x, x @ w.T)
    reads(through(3, 4, nir.Affine(w, b)), x, x @ w.T + b)
    reads(through(3, 3, nir.Scale(w[0])), x, x * w[0])
    reads(through(3, 4, nir.Scale(w[0]), nir.Affine(w, b)), x, (x * w[0]) @ w.T + b)


def test_two_dimensional_convolutions():
    x, bias = image(), BIAS[:, None, None]
    args = {"stride": (2, 1), "padding": 0, "dilation": 1, "groups": 1}
    node = nir.Conv2d(None, KERNEL, bias=BIAS, **args)
    reads(through(0, 0, node, shape=IMAGE), x, slid(x) + bias)
    apart = nir.Conv2d(None, np.ones((2, 1, 1, 1)), 1, "valid", 1, 2, np.zeros(2))
    reads(through(0, 0, apart, shape=IMAGE), x, x)
    same = nir.Conv2d(IMAGE[1:], np.ones((1, 2, 3, 3)), 1, "same", 1, 1, np.zeros(1))
    padded = np.pad(x.sum(axis=1), ((0, 0), (1, 1), (1, 1)))
    summed = sum(padded[:, i : i + 6, j : j + 5] for i in range(3) for j in range(3))
    reads(through(0, 0, same, shape=IMAGE), x, summed)


def test_one_dimensional_convolutions():
    w, x = RNG.normal(size=(3, 2, 2)), spikes(7, 12, 0.4).reshape(7, 2, 6)
    node = nir.Conv1d(6, w, 2, 1, 1, 1, BIAS)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    expected = np.stack(
        [np.einsum("oik,tik->to", w, padded[:, :, 2 * j : 2 * j + 2]) for j in range(4)], axis=-1
    )
    reads(through(0, 0, node, shape=(2, 6)), x, expected + BIAS[:, None])


def test_pools_and_flatten():
    x = image()
    blocks = x[:, :, :, :4].reshape(7, 2, 3, 2, 2, 2).sum(axis=(3, 5))
    args = [np.array(a) for a in ((2, 2), (2, 2), (0, 0))]
    reads(through(0, 0, nir.SumPool2d(*args), shape=IMAGE), x, blocks)
    reads(through(0, 0, nir.AvgPool2d(*args), shape=IMAGE), x, blocks / 4)
    flat = nir.Flatten(np.array(IMAGE), 0, -1)
    reads(through(0, 0, nir.SumPool2d(*args), flat, shape=IMAGE), x, blocks.reshape(7, -1))
    net = reads(through(0, 0, nir.Flatten(None, 1, -1), shape=IMAGE), x, x.reshape(7, -1))
    assert net.layers["output"].shape == (2, 30)
    row = nir.Flatten(None, 1, -1)  # of what is a row already: exporters count a batch, too
    reads(through(3, 3, row), spikes(9, 3, 0.5), spikes(9, 3, 0.5))


def test_delays_are_seconds_and_each_its_own():
    x = spikes(20, 3, 0.4)

    def late(k, by):
        return np.concatenate([np.zeros(by), x[: 20 - by, k]])

    reads(through(3, 3, nir.Delay(full(3, 0.004))), x, np.stack([late(k, 4) for k in range(3)], 1))
    several = nir.Delay(np.array([0.002, 0.0, 0.005]))
    expected = np.stack([late(0, 2), late(1, 0), late(2, 5)], 1)
    net = reads(through(3, 3, several), x, expected)
    assert sorted(p.delay for p in net.projections) == [0, 2, 5]
    w, b = RNG.normal(size=(4, 3)), RNG.normal(size=4)
    reads(through(3, 4, several, nir.Affine(w, b)), x, expected @ w.T + b)
    twice = through(3, 4, several, nir.Affine(w, b), nir.Delay(np.array([0, 0, 0.001, 0])))
    after = expected @ w.T
    after[:, 2] = np.concatenate([[0], after[:-1, 2]])
    net = reads(twice, x, after + b)
    assert any("n1: its bias is there from the first step on" in n for n in net.notes)
    net = read(through(3, 3, nir.Delay(full(3, 0.0024))))
    assert [p.delay for p in net.projections] == [2]
    assert any("n0: delays are rounded to whole steps, 2.4 to 2" in n for n in net.notes)
    net = read(through(3, 3, nir.Delay(full(3, 0.0003))), dt=0.1)
    assert [p.delay for p in net.projections] == [3]
    assert not any("rounded" in n for n in net.notes)


def test_parallel_ways_add_up_and_a_bias_arrives_once():
    w, b, x = RNG.normal(size=(3, 3)), RNG.normal(size=3), spikes(9, 3, 0.5)
    g = graph(
        ["input a join output", "input b join", "input output"],
        **ends(3, 3),
        a=nir.Scale(full(3, 2)),
        b=nir.Affine(w, b),
        join=nir.Affine(w, b),
    )
    reads(g, x, (2 * x + x @ w.T + b) @ w.T + b + x)
    split = graph(
        ["input b a output", "b c output"],
        **ends(3, 3),
        a=nir.Scale(full(3, 2)),
        b=nir.Affine(w, b),
        c=nir.Linear(w),
    )
    reads(split, x, 2 * (x @ w.T + b) + (x @ w.T + b) @ w.T)


def test_nested_graphs_are_resolved_with_the_names_of_both():
    inner = nir.NIRGraph(
        nodes={
            "in": nir.Input(np.array([4])),
            "lif": lif(4, theta=0.05),
            "w": nir.Linear(-0.5 * np.eye(4)),
            "out": nir.Output(np.array([4])),
        },
        edges=[("in", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "out")],
    )
    outer = graph(["in deep out"], **{"in": nir.Input(np.array([4]))}, deep=inner,
                  out=nir.Output(np.array([4])))  # fmt: skip
    g = graph(["input fc net output"], **ends(3, 4), fc=nir.Linear(np.ones((4, 3))), net=outer)
    net = read(g)
    assert list(net.layers) == ["net.deep.lif"]
    assert net.outputs == ["net.deep.lif"]
    loop = (
        "net.deep.lif > net.deep.w > net.deep.lif closes a loop without a delay: it gets one step"
    )
    assert loop in net.notes
    flat = graph(
        ["input fc lif w lif output"],
        **ends(3, 4),
        fc=g.nodes["fc"],
        lif=inner.nodes["lif"],
        w=inner.nodes["w"],
    )
    x = spikes(50, 3, 0.3)
    expected = quiet(read(flat), input=x).spike["lif"]
    assert expected.any()
    assert np.array_equal(quiet(net, input=x).spike["net.deep.lif"], expected)


def test_a_name_that_is_missing_is_taken_for_the_input_and_output_that_bear_it(tmp_path):
    """As old exporters of recurrent layers wrote it: flat names, and edges with the layer's."""
    nodes = {
        **ends(3, 4),
        "fc": nir.Linear(np.ones((4, 3))),
        "rnn.input": nir.Input(np.array([4])),
        "rnn.lif": lif(4, theta=0.05),
        "rnn.output": nir.Output(np.array([4])),
    }
    edges = [("input", "fc"), ("fc", "rnn"), ("rnn", "output"), ("rnn.input", "rnn.lif")]
    edges += [("rnn.lif", "rnn.output")]
    g = nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)
    nested = graph(["in sub output"], **{"in": nir.Input(np.array([3]))}, sub=g,
                   output=nir.Output(np.array([4])))  # fmt: skip
    for whole, name in ((g, "rnn.lif"), (nested, "sub.rnn.lif")):
        nir.write(tmp_path / "net.nir", whole)
        net = read(tmp_path / "net.nir")
        assert list(net.layers) == [name]
        assert sum("which is not there" in n for n in net.notes) == 2


def test_edges_that_are_there_twice_count_once_and_what_nothing_reaches_is_left_out():
    g = one(lif(1))
    g.edges.append(("input", "node"))
    g.nodes["lost"] = nir.Linear(np.ones((2, 2)))
    g.nodes["alone"] = lif(2)
    net = read(g)
    assert len(net.projections) == 1
    assert "1 edges are there twice: taken once" in net.notes
    assert "lost: nothing leads there: left out" in net.notes
    assert net.layers["alone"].shape == (2,)


def test_a_loop_of_several_layers_gets_one_step_where_it_comes_back():
    g = graph(
        ["input a first b second c first", "second output"],
        **ends(2, 2),
        a=nir.Linear(np.eye(2)),
        b=nir.Linear(np.eye(2)),
        c=nir.Linear(np.eye(2)),
        second=lif(2),
        first=lif(2),
    )
    net = read(g)
    assert [(p.source, p.target, p.delay) for p in net.projections] == [
        ("input", "first", 0),
        ("first", "second", 0),
        ("second", "first", 1),
    ]
    g.edges[g.edges.index(("second", "c"))] = ("second", "late")
    g.edges.append(("late", "c"))
    g.nodes["late"] = nir.Delay(full(2, 0.003))
    net = read(g)
    assert [p.delay for p in net.projections] == [0, 0, 3]
    assert not any("loop" in n for n in net.notes)


def test_arrays_that_agree_are_one_number_and_others_are_each_neurons_own():
    node = lif(4)
    node.v_threshold = np.array([1.0, 2.0, 3.0, 4.0])
    node.tau = np.array([0.01, 0.02, 0.04, 0.02])
    layer = read(one(node, 4)).layers["node"]
    assert set(layer.population.parameters) == {"alpha", "v_threshold"}
    assert layer.population.parameters["alpha"].tolist() == [0.1, 0.05, 0.025, 0.05]
    assert layer.population.neuron.r == 1
    scalars = nir.LIF(*(np.array(v) for v in (0.02, 1.0, 0.0, 1.0, 0.0)))
    assert read(one(scalars, 4)).layers["node"].count == 4
    rows = through(0, 0, lif(1), shape=(2, 3, 4))
    rows.nodes["n0"].v_threshold = np.array([1.0, 2.0]).reshape(2, 1, 1)
    found = read(rows).layers["n0"]
    assert found.shape == (2, 3, 4)
    assert found.population.parameters["v_threshold"].tolist() == [1] * 12 + [2] * 12


def test_bits_points_and_words_may_be_chosen_by_name():
    g = trained(0)
    net = read(g, bits={"fc": 4, "rec": 6}, points={"out": 3}, words={"hidden": {"v": "Q2.14"}})
    assert [(p.bits, p.point) for p in net.projections] == [(4, None), (6, None), (8, 3)]
    net.calibrate(input=spikes(99, 12, 0.2), progress=False)
    assert net.layers["hidden"].population.neuron.state_variables["v"].word == "Q2.14"
    assert {p.bits for p in read(g, bits=5).projections} == {5}


def test_an_input_with_a_name_that_means_something_else_gets_another():
    g = one(lif(1))
    g.nodes["record"], g.edges = g.nodes.pop("input"), [("record", "node"), ("node", "output")]
    assert list(read(g).inputs) == ["record_"]


# -- there and back -------------------------------------------------------------------------------
def everything():
    """A net with every primitive, and parameters of each neuron's own."""
    rng = np.random.default_rng(8)
    shape = (3, 3, 3)

    def each(low, high):
        return rng.uniform(low, high, shape).astype(np.float32)

    def linear(*size):
        return nir.Linear(rng.normal(0.3, 1, size))

    outputs = {"output": 2, "o2": 2, "o3": 2, "o4": 3, "o5": 2, "o6": 3, "o8": 2, "o9": 4}
    return graph(
        [
            "input conv first pool scale second flat fc rec_lif late rec rec_lif",
            "rec_lif out li output",
            "flat fc3 cli o2",
            "flat fc4 csum cover fc5 if o3",
            "flat fc6 sum over o4",
            "flat fc7 i o5",
            "flat fc8 isum iover o6",
            "line_in line third o7",
            "input sums flat_b fc9 gate o8",
            "rec_lif fc10 o9",
        ],
        **{n: nir.Output(np.array([count])) for n, count in outputs.items()},
        input=nir.Input(np.array(IMAGE)),
        line_in=nir.Input(np.array([2, 4])),
        o7=nir.Output(np.array([2, 4])),
        conv=nir.Conv2d(None, rng.normal(0, 1, (3, 2, 2, 2)), 2, (0, 1), 1, 1, BIAS),
        first=nir.LIF(each(0.01, 0.03), each(1, 2), each(0, 0.1), each(0.1, 0.2), each(-0.1, 0)),
        pool=nir.AvgPool2d(np.array([2, 2]), np.array([1, 1]), np.array([0, 0])),
        scale=nir.Scale(rng.normal(1, 1, (3, 2, 2))),
        second=nir.CubaLIF(
            rng.uniform(0.005, 0.01, (3, 2, 2)),
            rng.uniform(0.005, 0.01, (3, 2, 2)),
            *(np.full((3, 2, 2), v) for v in (2, 0, 0.05, 0, 3.0)),
        ),
        flat=nir.Flatten(None, 0, -1),
        fc=nir.Affine(rng.normal(0, 1, (4, 12)), rng.normal(0, 1, 4)),
        rec_lif=lif(4, theta=0.1),
        late=nir.Delay(np.array([0.002, 0.003, 0.002, 0.0])),
        rec=linear(4, 4),
        out=linear(2, 4),
        li=li(2, 0.07),
        fc3=linear(2, 12),
        cli=cuba_li(2),
        fc4=linear(2, 12),
        csum=cuba_li(2),
        cover=nir.Threshold(full(2, 0.1)),
        fc5=linear(2, 2),
        **{"if": nir.IF(full(2, 300), full(2, 1), full(2, 0))},
        fc6=linear(3, 12),
        sum=nir.LI(rng.uniform(0.01, 0.02, 3), full(3, 1), full(3, 0)),
        over=nir.Threshold(rng.uniform(0.1, 0.2, 3)),
        fc7=linear(2, 12),
        i=nir.I(full(2, 40)),
        fc8=linear(3, 12),
        isum=nir.I(full(3, 100)),
        iover=nir.Threshold(full(3, 1)),
        line=nir.Conv1d(4, rng.normal(0, 1, (2, 2, 2)), 1, "same", 1, 1, BIAS[:2]),
        third=nir.Threshold(np.full((2, 4), 0.3)),
        sums=nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([1, 0])),
        flat_b=nir.Flatten(None, 0, -1),
        fc9=linear(2, 16),
        gate=nir.Threshold(full(2, 0.5)),
        fc10=nir.Affine(rng.normal(0, 1, (4, 4)), full(4, 0.1)),
    )


def same_network(a, b):
    """Whether two networks are made of the same."""
    assert list(a.inputs.values()) == list(b.inputs.values())
    assert {*a.layers} == {*b.layers}
    assert {*a.outputs} == {*b.outputs}
    for name, layer in a.layers.items():
        other = b.layers[name]
        assert layer.shape == other.shape
        assert layer.population.neuron == other.population.neuron, name
        assert {*layer.population.parameters} == {*other.population.parameters}
        for n, values in layer.population.parameters.items():
            assert np.array_equal(values, other.population.parameters[n]), (name, n)

    def projections(net):
        found = []
        for p in net.projections:
            source = net.nodes[p.source].shape
            bias = p.map.biases(source)
            synapses = [x.tobytes() for x in p.map.synapses(source)]
            bias = () if bias is None else tuple(bias.ravel())
            found.append((p.source, p.target, p.to, p.delay, bias, *synapses))
        return sorted(found)

    assert projections(a) == projections(b)


@pytest.mark.parametrize(
    ("method", "reset"),
    few(
        itertools.product(("euler", "exact"), ("value", "subtract")),
        lambda case: case == ("exact", "value"),
        lambda case: case == ("euler", "value"),
    ),
)
def test_what_was_written_is_read_as_it_was(method, reset, tmp_path):
    options = {"method": method, "reset": reset}
    net = read(everything(), **options)
    names = {type(layer.population.neuron).__name__ for layer in net.layers.values()}
    assert names == {cls.__name__ for cls in NEURONS}
    write_nir(net, tmp_path / "a.nir")
    again = read(tmp_path / "a.nir", **options)
    same_network(net, again)
    write_nir(again, tmp_path / "b.nir")
    same_network(net, read(tmp_path / "b.nir", **options))
    given = {"input": spikes(40, 60, 0.5), "line_in": spikes(40, 8, 0.5)}
    first, second = quiet(net, **given), quiet(again, **given)
    assert sum(s.any() for s in first.spike.values()) >= 8
    for name, values in first.arrays().items():
        assert np.allclose(values, second[name], rtol=0, atol=1e-12), name


def test_what_was_written_is_a_file_that_others_read(tmp_path):
    """The package checks the types of all nodes and edges."""
    write_nir(read(everything()), tmp_path / "net.nir")
    found = nir.read(tmp_path / "net.nir")
    kinds = {type(node).__name__ for node in found.nodes.values()}
    assert kinds >= {"CubaLIF", "CubaLI", "LIF", "LI", "IF", "I", "Threshold", "Conv1d", "Conv2d"}
    assert kinds >= {"SumPool2d", "AvgPool2d", "Scale", "Delay", "Flatten", "Affine", "Linear"}
    assert found.nodes["first"].tau.shape == (3, 3, 3)


def test_time_constants_come_back_to_the_last_bit_of_what_a_step_loses():
    tau = np.random.default_rng(9).uniform(0.001, 1, 20_000)
    for exact in (False, True):
        for dt in (0.1, 1.0):
            lost = neurons.decay(tau, dt, exact)
            found = neurons.time_constant(lost, dt, exact)
            assert np.allclose(found, tau, rtol=1e-12)
            assert np.array_equal(neurons.decay(found, dt, exact), lost)


def test_a_network_of_python_is_written_and_read(tmp_path):
    net = Network()
    net.input("x", (2, 2))
    neuron = neurons.NIRLIF(tau=0.01)
    neuron.budget = 0.5  # as where parameters differ
    net.population("a", neuron, 3, parameters={"v_threshold": [0.1, 0.2, 0.3]})
    matrix = np.array([[1.0, 0, 2, 0], [0, 3, 0, 0], [0, 0, 0, 4]])
    target, source = np.nonzero(matrix)
    net.connect("x", "a", Sparse((matrix[target, source], (target, source)), shape=(3, 4)))
    net.connect("a", "a", Dense(-np.eye(3), [0.1, 0, 0]), delay=2)
    net.connect("a", "a", Scale(), delay=1)
    net.connect("x", "a", [Dense(matrix), Scale(0.5)])
    write_nir(net, tmp_path / "net.nir")
    same_network(net, read(tmp_path / "net.nir"))


def test_what_a_file_cannot_say_is_refused_and_nothing_is_written(tmp_path):
    def refused(text, kind=ScneuroError, *, neuron=None, **options):
        net = Network()
        net.input("x", 1)
        net.population("a", neuron or neurons.NIRLIF(), 1, **options)
        net.connect("x", "a", Scale())
        with pytest.raises(kind, match=text):
            write_nir(net, tmp_path / "net.nir")
        return net

    refused("a: LIF is no neuron of NIR", neuron=LIF())
    refused("a: its states start elsewhere", init={"v": [0.5]})
    moved = neurons.NIRLIF()
    moved.set_initial(v=0.5)
    refused("a: its states start elsewhere", neuron=moved)
    net = Network()
    net.input("x", 1)
    for name, neuron in (("a", neurons.NIRLI()), ("b", neurons.NIRLIF())):
        net.population(name, neuron, 1)
    net.connect("x", "a", Scale())
    net.connect("a", "b", Scale())
    with pytest.raises(ScneuroError, match="a > b: a never fires"):
        write_nir(net, tmp_path / "net.nir")
    with pytest.raises(ScneuroError, match="has no population"):
        write_nir(Network(), tmp_path / "net.nir")
    with pytest.raises(TypeError, match="takes a network"):
        write_nir(LIF(), tmp_path / "net.nir")
    assert not (tmp_path / "net.nir").exists()
    net = read(one(lif(1)))
    with pytest.raises(FileTrouble, match="cannot write"):
        write_nir(net, tmp_path)


# -- what is refused ------------------------------------------------------------------------------
def with_(node, **values):
    for name, value in values.items():
        setattr(node, name, value)
    return node


nan = float("nan")
REFUSED = {
    "an analog path": (
        lambda: graph(["input li fc lif output"], **ends(1, 1), li=li(1), lif=lif(1),
                      fc=nir.Linear(np.eye(1))),
        r"li \(LI\): its potential goes on to fc, .*\n.*Threshold",
    ),
    "an integrator with two ways": (
        lambda: graph(["input li over output", "li output"], **ends(1, 1), li=li(1),
                      over=nir.Threshold(full(1, 1))),
        r"li \(LI\): its potential goes on to over",
    ),
    "a loop of maps": (
        lambda: graph(["input a b a output"], **ends(1, 1), a=nir.Linear(np.eye(1)),
                      b=nir.Linear(np.eye(1))),
        r"a \(Linear\): it is in a loop without a neuron",
    ),
    "no input": (
        lambda: graph(["node output"], node=lif(1), output=nir.Output(np.array([1]))),
        "it has no Input",
    ),
    "an edge to nowhere": (
        lambda: graph(["input nude output"], **ends(1, 1), node=lif(1)),
        "an edge names the node nude, which is not there; did you mean node",
    ),
    "weights of nan": (
        lambda: through(1, 1, nir.Linear(np.array([[nan]]))),
        r"n0 \(Linear\): Dense: weights is nan",
    ),
    "a bias of nan": (
        lambda: through(1, 1, nir.Affine(np.eye(1), full(1, nan))),
        r"n0 \(Affine\): Dense: bias is nan",
    ),
    "a parameter of nan": (
        lambda: one(with_(lif(1), tau=full(1, nan))),
        r"node \(LIF\): tau is nan",
    ),
    "shapes of two layers": (
        lambda: through(2, 3, nir.Linear(np.eye(2)), nir.Linear(np.eye(3))),
        r"n1 \(Linear\): Dense takes 3 neurons, not 2",
    ),
    "shapes of a layer and its neurons": (
        lambda: through(2, 3, nir.Linear(np.eye(2)), lif(3)),
        r"n1 \(LIF\): tau has shape \(3,\), and there are \(2,\) neurons",
    ),
    "a convolution of a row": (
        lambda: through(3, 3, nir.Conv2d((6, 5), KERNEL, 1, 0, 1, 1, BIAS)),
        r"n0 \(Conv2d\): Conv2d takes \(2, height, width\), not 3",
    ),
    "a kernel that is too large": (
        lambda: through(0, 0, nir.Conv2d((6, 5), KERNEL, 1, 0, 9, 1, BIAS), shape=IMAGE),
        r"n0 \(Conv2d\): Conv2d: a kernel of 2x3 does not fit 6x5",
    ),
    "two shapes at one neuron": (
        lambda: graph(["input a node output", "input b node"], **ends(2, 2), node=lif(2),
                      a=nir.Linear(np.eye(2)), b=nir.Linear(np.ones((3, 2)))),
        "input > node: the map makes 3 of 2, and node has 2 neurons",
    ),
    "an exploding step": (
        lambda: one(lif(2, tau=0.0004), 2),
        r"a time step of 1 ms is 2.5 times tau = 0.0004 s.*\n.*at most 0.4 ms, or method exact",
    ),
    "an exploding current": (
        lambda: one(cuba(1, tau_syn=0.0005)),
        "is 2 times tau_syn = 0.0005 s",
    ),
    "a frozen membrane": (
        lambda: one(lif(1, tau=100.0)),
        r"is 1e-05 of tau = 100 s: it stands still\n.*Sinabs",
    ),
    "a frozen integrator": (
        lambda: one(nir.IF(full(1, 0.001), full(1, 1), full(1, 0))),
        "of the way of an input of 1 to v_threshold: it stands still",
    ),
    "no time constant": (lambda: one(lif(1, tau=0.0)), "tau must be positive, not 0"),
    "a delay backwards": (
        lambda: through(1, 1, nir.Delay(full(1, -0.001))),
        r"n0 \(Delay\): a delay must not be negative",
    ),
    "a delay of ages": (
        lambda: through(1, 1, nir.Delay(full(1, 10.0))),
        "delay must be 0 to 1,024",
    ),
    "a nested graph of two inputs": (
        lambda: graph(
            ["input sub output"],
            **ends(1, 1),
            sub=graph(["a lif o", "b lif"], a=nir.Input(np.array([1])),
                      b=nir.Input(np.array([1])), lif=lif(1), o=nir.Output(np.array([1]))),
        ),
        r"sub \(NIRGraph\) has 2 nodes Input",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "text"), REFUSED.values(), ids=REFUSED)
def test_a_net_that_makes_no_sense_is_refused_with_the_node(made, text, tmp_path):
    nir.write(tmp_path / "net.nir", made())
    for source in (made(), tmp_path / "net.nir"):
        with pytest.raises((ScneuroError, ValueError), match=text) as caught:
            read(source)
        assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"dt": 0}, ValueError, "dt must be a positive number of ms, not 0"),
        ({"dt": nan}, ValueError, "dt is nan"),
        ({"dt": "a"}, TypeError, "dt must be numbers"),
        ({"dt": 1, "method": "rk4"}, ValueError, "method must be euler or exact, not 'rk4'"),
        ({"dt": 1, "reset": "none"}, ValueError, "reset must be value or subtract, not 'none'"),
        ({"dt": 1, "inputs": "light"}, ScneuroError, "kind of input must be spikes or current"),
        ({"dt": 1, "bits": 99}, ValueError, "bits must be 2 to 16, not 99"),
        ({"dt": 1, "bits": {"recc": 4}}, ValueError, "bits of 'recc': there .*did you mean rec"),
        ({"dt": 1, "points": {"hidden": 4}}, ValueError, "points of 'hidden': there are"),
        ({"dt": 1, "words": {"fc": {"v": "Q4.12"}}}, ValueError, "words of 'fc': there are hidden"),
        ({"dt": 1, "words": {"hidden": {"w": "Q4.12"}}}, ScneuroError, "no state or input 'w'"),
        ({"dt": 1, "words": {"hidden": {"v": "Q4.2"}}}, ScneuroError, "word must be 'Qm.n'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, kind, text):
    with pytest.raises(kind, match=text):
        read_nir(recurrent(np.random.default_rng(0)), **options)


def test_a_primitive_or_an_object_that_is_none_is_refused(tmp_path):
    class Poisson(nir.ir.NIRNode):
        def __init__(self):
            self.input_type = self.output_type = {}

    with pytest.raises(ScneuroError, match=r"node: Poisson is not supported\n.*CubaLIF"):
        read(one(Poisson()))
    with pytest.raises(TypeError, match=r"takes a path or a nir.NIRGraph, not LIF"):
        read(lif(1))
    path = tmp_path / "net.nir"
    nir.write(path, one(lif(1)))
    with h5py.File(path, "a") as file:
        del file["node/nodes/node/type"]
        file["node/nodes/node/type"] = "Lif"
    with pytest.raises(FileTrouble, match="node: Lif is not supported; did you mean LIF"):
        read(path)


def test_a_file_from_before_v_reset_is_read_and_said(tmp_path):
    path = tmp_path / "net.nir"
    nir.write(path, one(lif(1, reset=-0.5)))
    with h5py.File(path, "a") as file:
        del file["node/nodes/node/v_reset"]
    net = read(path)
    assert net.layers["node"].population.neuron.v_reset == 0
    assert "node: the file has no v_reset: 0" in net.notes


def test_a_damaged_file_is_refused_in_a_line(tmp_path):
    whole, path = tmp_path / "whole.nir", tmp_path / "net.nir"
    nir.write(whole, trained(0))
    content = whole.read_bytes()
    damaged = [content[: len(content) * k // 20] for k in range(20)]
    damaged += [b"no HDF5", b"", content[:2000] + b"\0" * 500 + content[2500:]]
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(FileTrouble) as caught:
            read(path)
        assert len(str(caught.value).splitlines()) <= 2
    with pytest.raises(FileTrouble, match="there is no file"):
        read(tmp_path / "none.nir")
    with h5py.File(path, "w") as file:
        file["other"] = 1
    with pytest.raises(FileTrouble, match="is no NIR file"):
        read(path)
    nir.write(path, through(1, 1, nir.Linear(np.eye(1))))
    with h5py.File(path, "a") as file:
        del file["node/nodes/n0/weight"]
        file["node/nodes/n0"].create_dataset("weight", (2**20, 2**15), "f4", chunks=(64, 64))
    with pytest.raises(FileTrouble, match="weight claims 137,438,953,472 bytes, more than"):
        read(path)
    for name in ("weight", "type", "v_threshold"):
        nir.write(path, through(1, 1, nir.Linear(np.eye(1)), lif(1)))
        with h5py.File(path, "a") as file:
            for node in file["node/nodes"].values():
                node.pop(name, None)
        with pytest.raises(FileTrouble, match=r"net\.nir") as caught:
            read(path)
        assert len(str(caught.value).splitlines()) <= 2


# -- the command line -----------------------------------------------------------------------------
OWN = """
import numpy as np
from scneuro import LIF, Network
from scneuro.network import Dense

def make(weight=40.0):
    net = Network("own")
    net.input("x", 3, most=2)
    net.population("out", LIF(dt=1.0), 2)
    net.connect("x", "out", Dense([[weight, 0, 0], [0, weight, weight]]))
    return net

network = make()

class Tuned(LIF):
    pass

def wrong():
    return 3

def broken():
    return make(1 / 0)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "alone.py").write_text(OWN.partition("class Tuned")[0])
    nir.write("net.nir", plain())
    nir.write("two.nir", everything_small())
    np.save("x.npy", spikes(60, 12, 0.2))
    np.save("counts.npy", 3 * spikes(60, 12, 0.2))
    np.save("halves.npy", spikes(60, 12, 0.2) / 2)
    np.save("thin.npy", spikes(60, 11, 0.2))
    return tmp_path


def plain():
    """A recurrent net whose hidden neurons are alike."""
    g = trained(0)
    g.nodes["hidden"] = cuba(HIDDEN, theta=0.5)
    g.nodes["readout"].tau = np.array([0.02, 0.03, 0.02, 0.02])
    return g


def everything_small():
    """Two inputs, one of an image."""
    return graph(
        ["image flat fc lif output", "row w lif"],
        image=nir.Input(np.array([1, 2, 2])),
        row=nir.Input(np.array([3])),
        output=nir.Output(np.array([2])),
        flat=nir.Flatten(np.array([1, 2, 2]), 0, -1),
        fc=nir.Linear(np.ones((2, 4))),
        w=nir.Linear(np.full((2, 3), 2.0)),
        lif=lif(2),
    )


def says(capsys, *arguments, code=0):
    assert main(list(arguments)) == code
    found = capsys.readouterr()
    return found.out if code == 0 else found.err


@pytest.mark.parametrize("backend", ["float", "fixed"])
def test_the_command_line_runs_what_python_runs(folder, capsys, backend):
    out = says(capsys, "simulate", "net.nir", "--dt", "1", "--stimulus", "x.npy", "--backend",
               backend, "-o", "out.npz", "--json")  # fmt: skip
    figures = json.loads(out)
    x = np.load("x.npy")
    net = read("net.nir")
    if backend == "fixed":
        chosen = net.calibrate(input=x, progress=False)
        assert {p["name"]: p["words"] for p in figures["populations"]} == chosen
        net = net.fixed()
    run = quiet(net, input=x)
    with np.load("out.npz") as file:
        assert {*file} == {"t", *run.arrays()}
        for name, values in run.arrays().items():
            assert np.array_equal(file[name], values), name
    assert figures["populations"][0]["spikes"] == run.spike["hidden"].sum() > 10
    assert any("closes a loop" in note for note in figures["notes"])


def test_what_leaves_of_its_outputs_is_said_as_it_is_read(folder, capsys):
    x = np.load("x.npy")
    net = read("net.nir", outputs="counts")
    assert net.sends == {"readout": "counts"}
    assert read("net.nir").sends == read("net.nir", outputs="spikes").sends == {"readout": "spikes"}
    with pytest.raises(ValueError, match="outputs must be spikes or counts or both, not 'rates'"):
        read("net.nir", outputs="rates")
    run = quiet(net, input=x)
    assert np.array_equal(run.counts["readout"], run.spikes["readout"])
    given = ("net.nir", "--dt", "1", "--stimulus", "x.npy", "--outputs", "both")
    out = says(capsys, "simulate", *given, "-o", "out.npz")
    assert f"counts of readout: {', '.join(map(str, run.counts['readout']))}" in out
    with np.load("out.npz") as file:
        assert np.array_equal(file["readout/counts"], run.counts["readout"])
    out = says(capsys, "show", "net.nir", "--dt", "1", "--outputs", "both")
    assert "population  readout: 4 NIRLIF, spikes leave and are counted" in out
    assert "counts 64 bits" in out


def test_without_a_stimulus_spikes_are_random_and_said(folder, capsys):
    out = says(capsys, "simulate", "net.nir", "--dt", "0.5", "--steps", "300")
    assert "net.nir (float): 300 steps of 0.5 ms" in out
    assert "random, 200 Hz each, seed 1" in out
    assert "note: hidden > rec > hidden closes a loop without a delay: it gets one step" in out
    again = says(capsys, "simulate", "net.nir", "--dt", "0.5", "--steps", "300")
    other = says(capsys, "simulate", "net.nir", "--dt", "0.5", "--steps", "300", "--seed", "2")
    assert again == out != other
    figures = json.loads(says(capsys, "simulate", "net.nir", "--dt", "1", "--rate", "30", "--json"))
    assert figures["steps"] == 1000
    assert 250 < figures["inputs"][0]["sum"] < 470


def test_several_inputs_are_given_by_name_and_counts_are_taken(folder, capsys):
    np.save("image.npy", spikes(30, 4, 0.5).reshape(30, 1, 2, 2))
    given = ("--stimulus", "image=image.npy", "--input", "row=2", "-o", "o.npz")
    out = says(capsys, "simulate", "two.nir", "--dt", "1", *given)
    assert "input row: 3, 180 spikes, from 2" in out
    with np.load("o.npz") as file:
        assert np.allclose(file["lif/I"], 12 + np.load("image.npy").sum(axis=(1, 2, 3))[:, None])
    out = says(capsys, "show", "net.nir", "--dt", "1", "--calibrate", "counts.npy")
    assert "input       input: 12, spikes, up to 3 a step" in out


def test_show_says_what_a_network_is_made_of(folder, capsys):
    out = says(capsys, "show", "net.nir", "--dt", "1", "--bits", "fc=4", "--point", "out=3")
    for text in (
        "words are as declared; --calibrate FILE chooses them by a run",
        "population  hidden: 40 NIRCubaLIF",
        "population  readout: 4 NIRLIF, spikes leave",
        "480 weights of 4 bits",
        "160 weights of 8 bits, 3 of them fraction",
        "projection  hidden > hidden.I: Dense(40x40), a step later",
        "1,600 weights of 8 bits",
    ):
        assert text in out
    command = ("show", "net.nir", "--dt", "1", "--calibrate", "x.npy", "--json")
    figures = json.loads(says(capsys, *command, "--word", "hidden.i=Q6.10"))
    assert figures["calibrated"]
    hidden = next(p for p in figures["populations"] if p["name"] == "hidden")
    assert {s["name"]: s["word"] for s in hidden["states"]}["i"] == "Q6.10"
    readout = next(p for p in figures["populations"] if p["name"] == "readout")
    assert readout["varied"] == {"alpha": [1 / 30, 0.05]}
    assert "tau" not in readout["parameters"]
    assert figures["memory_bits"]["weights"] == 8 * (480 + 1600 + 160)
    width = sum(s["bits"] for s in hidden["states"])
    assert hidden["state_memory_bits"] == 40 * width


@pytest.mark.parametrize("name", ["own.py:network", "own.py:make", "alone.py"])
def test_a_network_of_a_file_of_ones_own_is_found(folder, capsys, name):
    for backend in ("float", "fixed"):
        out = says(capsys, "simulate", name, "--steps", "50", "--backend", backend)
        assert f"own ({backend}): 50 steps of 1 ms" in out
        assert "out         LIF" in out
    assert "V: Q8.8" in says(capsys, "show", name)
    np.save("y.npy", np.ones((50, 3)))
    assert "V: Q8.8" not in says(capsys, "show", name, "--calibrate", "y.npy")
    assert "V: Q8.8" in says(capsys, "show", name)  # what was chosen was not the file's own
    assert "Tuned (float)" in says(capsys, "simulate", "own.py:Tuned", "--steps", "9")


def words(line):
    return line.split()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("simulate net.nir", "net.nir: a NIR file has no time step\n  give it in ms: --dt 1"),
        ("simulate none.nir --dt 1", "there is no file none.nir"),
        ("simulate x.npy", "no neuron 'x.npy'"),
        ("simulate net.nir --dt 11", "net.nir: hidden (CubaLIF): a time step of 11 ms is"),
        ("simulate net.nir --dt -1", "dt must be a positive number of ms, not -1"),
        ("simulate net.nir --dt 1 --stimulus thin.npy", "input must have shape (T, 12)"),
        ("simulate net.nir --dt 1 --stimulus halves.npy", "is 0.5 in step 0"),
        ("simulate net.nir --dt 1 --stimulus none.npy", "cannot read none.npy"),
        ("simulate net.nir --dt 1 --stimulus x.npy --steps 99", "--steps 99, but x.npy has 60"),
        ("simulate net.nir --dt 1 --stimulus x.npy --rate 9", "--rate is of random spikes"),
        ("simulate net.nir --dt 1 --rate 2000", "--rate 2000: in a step of 1 ms"),
        ("simulate net.nir --dt 1 --steps 0", "--steps must be at least 1"),
        ("simulate net.nir --dt 1 --input a=x.npy", "net.nir has the inputs input"),
        ("simulate net.nir --dt 1 --input x.npy", "--input x.npy: write NAME=VALUE"),
        ("simulate net.nir --dt 1 --input input=x.npy --input input=1", "input is given twice"),
        ("simulate net.nir --dt 1 --stimulus input=x.npy --input input=1", "input is given twice"),
        ("simulate net.nir --dt 1 --input-kind current", "input takes currents: give them"),
        ("simulate net.nir --dt 1 --calibrate x.npy", "--backend float has none"),
        ("simulate net.nir --dt 1 -o out.txt", "-o out.txt: name a .npz file"),
        ("simulate net.nir --dt 1 --set tau=1", "--set is not of networks"),
        ("simulate net.nir --dt 1 --neurons 4", "--neurons is not of networks"),
        ("simulate net.nir --dt 1 --current 4", "--current is not of networks"),
        ("simulate net.nir --dt 1 --plot a.png", "--plot is not of networks"),
        ("simulate net.nir --dt 1 --bits eight", "--bits eight: write a whole number"),
        ("simulate net.nir --dt 1 --bits 1", "bits must be 2 to 16, not 1"),
        ("simulate net.nir --dt 1 --bits 4 --bits fc=4", "given for all nodes and for some"),
        ("simulate net.nir --dt 1 --point fc=some", "'some' is no whole number"),
        ("simulate net.nir --dt 1 --point none=4", "points of 'none': there are fc, rec, out"),
        ("simulate net.nir --dt 1 --word v=Q4.12", "--word v=Q4.12: write NODE.NAME=Q2.14"),
        ("simulate two.nir --dt 1 --stimulus x.npy", "has the inputs image, row; give each with"),
        ("show two.nir --dt 1 --calibrate row=x.npy", "--calibrate: image must be given, too"),
        ("show net.nir --dt 1 --board icebreaker", "--board is not of networks here"),
        ("show net.nir --dt 1 --calibrate none.npy", "cannot read none.npy"),
        ("simulate lif --dt 1", "--dt is of networks, and lif is none"),
        ("show lif --calibrate x.npy", "--calibrate is of networks, and lif is none"),
        ("simulate own.py:network --dt 1", "--dt is of NIR files; own.py:network says it itself"),
        ("show own.py:network --outputs both", "--outputs is of NIR files; own.py:network says it"),
        ("show lif --outputs both", "--outputs is of networks, and lif is none"),
        ("simulate own.py:wrong", "own.py:wrong() returns int, no network"),
        ("simulate own.py:broken", "own.py:broken() fails: "),
        ("simulate own.py:none", "own.py has no neuron 'none'"),
        ("parity net.nir", "net.nir: a NIR file has no time step"),
        ("plot net.nir -o a.png", "net.nir is a network, which this command does not take"),
        ("reference own.py:network", "own.py:network is a network, which this command does not"),
    ],
)
def test_what_the_command_line_cannot_do_is_said_in_a_line(folder, capsys, arguments, text):
    err = says(capsys, *words(arguments), code=2)
    assert text in err
    assert err.startswith("scneuro: ")
    assert len(err.splitlines()) <= 2
    assert not (folder / "out.npz").exists()


def test_a_run_that_leaves_all_numbers_is_refused(folder, capsys):
    nir.write("wild.nir", through(1, 1, nir.Linear(np.full((1, 1), 1e308)), nir.I(full(1, 1e308))))
    err = says(capsys, "simulate", "wild.nir", "--dt", "1", "--rate", "1000", code=2)
    assert "is no number from step" in err
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize("end", ["LI", "Linear", "LIF"])
def test_counts_of_what_never_fires_are_said_to_stay_0(end):
    nodes = {
        "LI": nir.LI(full(2, 0.02), full(2, 1), full(2, 0)),
        "Linear": nir.Linear(np.eye(2)),
        "LIF": nir.LIF(*(full(2, v) for v in (0.02, 1.0, 0.0, 1.0, 0.0))),
    }
    net = read_nir(through(2, 2, nodes[end]), dt=1.0, outputs="counts")
    assert any("its counts stay 0" in note for note in net.notes) == (end != "LIF")
