"""NIR: every primitive, spikes against the equations, round trips, and what is refused."""

import json
import pickle

import h5py
import nir
import numpy as np
import pytest
import scipy.linalg

from scneuro import LIF, FixedNeuron, Network, Population, ScneuroError
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
        found += zip(names, names[1:], strict=False)
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
    threshold, fired = trajectory(nir.Threshold(full(1, 1)), [0.5, 1.0, 1.5])
    assert fired == [0, 0, 1]


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
    getattr(neurons, name)
    for name in neurons.__all__
    if isinstance(getattr(neurons, name), type)
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


@pytest.mark.parametrize(("kept", "bits"), [(8, 8), (None, 16)])
def test_integers_and_float_have_the_same_spikes_but_for_one_in_five_hundred_bits(kept, bits):
    """Of weights that 8 bits hold, and of any weights in 16 bits.

    The words are chosen by another stimulus than the one that is compared.
    """
    for seed in range(4):
        net = read(trained(seed, kept), bits=bits)
        net.calibrate(input=spikes(STEPS, 12, 0.2, seed + 10), progress=False)
        x = spikes(STEPS, 12, 0.2, seed)
        exact, found = quiet(net, input=x), quiet(net.fixed(), input=x)
        assert found.saturated == {}
        assert 0.02 < exact.spike["hidden"].mean() < 0.12
        assert np.mean(exact.spike["hidden"] != found.spike["hidden"]) <= 0.002


def test_what_an_input_reaches_in_a_net_is_not_what_its_neuron_is_held_at_alone():
    """Parameters that differ make the input a factor, which would be limited to its currents."""
    g = one(lif(3, theta=2.0), 3)
    g.nodes["node"].r = np.array([1.0, 1.5, 2.0])
    g.nodes["node"].tau = np.array([0.01, 0.02, 0.03])
    net = read(g, inputs="current")
    x = np.full((50, 3), 40.0)
    net.calibrate(input=x, progress=False)
    exact, found = quiet(net, input=x), quiet(net.fixed(), input=x)
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
    loop = "net.deep.lif > net.deep.w > net.deep.lif closes a loop without a delay: it gets one step"
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
    """A net with every primitive."""
    shape = np.array([3, 3, 3])

    def each(low, high):
        return RNG.uniform(low, high, shape)

    return graph(
        [
            "input conv first pool scale second flat fc rec_lif late rec rec_lif",
            "rec_lif line third sum_pool_in",
            "third out li output",
            "rec_lif sum over fc2 if readout",
            "rec_lif fc3 output_2",
            "second flat2 fc4 cli",
            "second flat2 fc4 gate",
            "flat2 fc5 i",
            "fc4 csum cover",
            "first conv1_flat",
        ],
        **{
            "input": nir.Input(np.array(IMAGE)),
            "output": nir.Output(np.array([2])),
            "output_2": nir.Output(np.array([4])),
            "readout": nir.Output(np.array([2])),
            "conv": nir.Conv2d(None, KERNEL, (2, 1), 0, 1, 1, BIAS),
            "first": nir.LIF(each(0.01, 0.03), each(1, 2), each(0, 0.1), each(0.1, 0.2), each(-0.1, 0)),
            "pool": nir.AvgPool2d(np.array([2, 2]), np.array([1, 1]), np.array([0, 0])),
            "scale": nir.Scale(RNG.normal(size=(3, 2, 2)) + 1),
            "second": nir.CubaLIF(*(np.full((3, 2, 2), v) for v in (0.005, 0.01, 2, 0, 0.05, 0, 3.0))),
            "flat": nir.Flatten(None, 0, -1),
            "flat2": nir.Flatten(None, 0, -1),
            "fc": nir.Affine(RNG.normal(size=(4, 12)), RNG.normal(size=4)),
            "rec_lif": lif(4, theta=0.1),
            "late": nir.Delay(np.array([0.002, 0.003, 0.002, 0.002])),
            "rec": nir.Linear(RNG.normal(size=(4, 4))),
            "line": nir.Conv1d(2, RNG.normal(size=(2, 2, 2)), 1, "same", 1, 1, BIAS[:2]),
            "third": nir.Threshold(np.full((2, 2), 0.3)),
            "sum_pool_in": nir.SumPool2d(np.array([1, 1]), np.array([1, 1]), np.array([0, 0])),
            "out": nir.Linear(RNG.normal(size=(2, 4))),
            "li": li(2),
            "sum": li(4, 0.01),
            "over": nir.Threshold(full(4, 0.2)),
            "fc2": nir.Linear(RNG.normal(size=(2, 4)) + 1),
            "if": nir.IF(full(2, 300), full(2, 1), full(2, 0)),
            "fc3": nir.Affine(RNG.normal(size=(4, 4)), BIAS[:1].repeat(4)),
            "fc4": nir.Linear(RNG.normal(size=(2, 12)) + 1),
            "fc5": nir.Linear(RNG.normal(size=(2, 12))),
            "cli": cuba_li(2),
            "gate": nir.Threshold(full(2, 0.5)),
            "i": nir.I(full(2, 40)),
            "csum": cuba_li(2),
            "cover": nir.Threshold(full(2, 0.4)),
            "conv1_flat": nir.Flatten(None, 0, -1),
        },
    )
