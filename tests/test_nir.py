"""Neurons of NIR files: their spikes are those of the equations, in float and in integers."""

import pickle

import nir
import numpy as np
import pytest
import scipy.linalg
from checks import few
from nir_graphs import (
    HIDDEN,
    NEURONS,
    STEPS,
    cuba_li,
    ends,
    full,
    graph,
    li,
    lif,
    one,
    quiet,
    read,
    recurrent,
    spikes,
    trained,
)

from scneuro import FixedNeuron
from scneuro.sim import parity


# -- spikes against the equations -----------------------------------------------------------------
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
