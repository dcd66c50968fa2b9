"""Training: what is trained is what runs, gradients are right, and digits are read in few bits."""

import re
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scneuro import LIF, ScneuroError
from scneuro.cli.demo import demo_network
from scneuro.network import Dense, Network, Scale
from scneuro.network.nir.neurons import NIRLIF
from scneuro.network.train import Leaky, _forward, _gradients, accuracy, train
from scneuro.signals.images import digits, mnist, rate_coded
from scneuro.sim import conformance

EXAMPLES = Path(__file__).parent.parent / "examples"
TestLeaky = conformance(Leaky)


KINDS = {
    "leaky": (Leaky(decay=0.75), Leaky(threshold=0.5)),
    "nir": (
        NIRLIF(tau=0.004, r=5.0, v_leak=0.125, v_reset=-0.25),
        NIRLIF(tau=0.008, r=8.0, v_threshold=0.5, subtract=True),
    ),
}
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def looped(kind="leaky", seed=0, bits=8):
    """Two layers, a loop, a projection back, and one that skips a layer; 0, 1 and 3 steps late."""
    random = np.random.default_rng(seed)
    network = Network("looped")
    network.input("x", 5)
    network.population("out", KINDS[kind][0], 3)
    network.population("hidden", KINDS[kind][1], 6)
    for source, target, delay, biased in (
        ("x", "hidden", 0, True),
        ("hidden", "hidden", 1, False),
        ("hidden", "out", 0, True),
        ("out", "hidden", 3, False),
        ("x", "out", 2, False),
    ):
        shape = network.layers[target].count, network.nodes[source].count
        bias = random.normal(0, 0.1, shape[0]) if biased else None
        dense = Dense(random.normal(0, 0.5, shape), bias)
        network.connect(source, target, dense, delay=delay, bits=bits)
    network.output("out")
    return network


def spikes_of(count=7, steps=20, seed=1, rate=0.3):
    return np.random.default_rng(seed).random((steps, count, 5)) < rate


# -- what is trained is what runs -----------------------------------------------------------------
@of_each_kind
def test_the_forward_pass_of_training_is_a_run_spike_for_spike(kind):
    network, spikes = looped(kind), spikes_of()
    fired, _ = _forward(network, spikes.astype(float))
    recording = network.run(x=spikes, progress=False)
    for name in network.layers:
        assert np.array_equal(fired[name].astype(bool), recording.spike[name])
        assert 0.05 < recording.spike[name].mean() < 0.95


@of_each_kind
def test_gradients_are_those_of_the_spikes_slope_by_an_independent_forward_derivative(kind):
    network, spikes = looped(kind), spikes_of()
    labels = np.arange(7) % 3
    random = np.random.default_rng(5)
    moved = [
        (random.normal(size=p.map.weights.shape), random.normal(size=p.map.weights.shape[0]))
        for p in network.projections
    ]
    fired, above = _forward(network, spikes.astype(float))
    d_spike = {n: np.zeros_like(a) for n, a in fired.items()}
    d_v = {n: np.zeros_like(a[0]) for n, a in above.items()}
    for t in range(len(spikes)):
        for name in network.order:
            neuron = network.layers[name].population.neuron
            change = np.zeros_like(d_v[name])
            left = neuron.membrane(1.0, 0.0) - neuron.membrane(0.0, 0.0)
            gain = neuron.membrane(0.0, 1.0) - neuron.membrane(0.0, 0.0)
            threshold = neuron.threshold if kind == "leaky" else neuron.v_threshold
            for p, (by, by_bias) in zip(network.projections, moved, strict=True):
                if p.target == name and t >= p.delay:
                    before = t - p.delay
                    change = change + fired[p.source][before] @ by.T
                    change = change + d_spike[p.source][before] @ p.map.weights.T
                if p.target == name and p.map.bias is not None:
                    change = change + by_bias
            change = left * d_v[name] + gain * change
            d_spike[name][t] = change / (1 + 5 * np.abs(above[name][t] - threshold)) ** 2
            subtracts = kind == "nir" and neuron.subtract
            d_v[name] = np.where((fired[name][t] > 0) & (not subtracts), 0, change)

    def loss(out):
        odds = 8 * out.mean(axis=0)
        chosen = odds[np.arange(len(labels)), labels]
        return np.mean(np.log(np.exp(odds).sum(axis=1)) - chosen)

    step = 1e-5 * d_spike["out"]
    wanted = (loss(fired["out"] + step) - loss(fired["out"] - step)) / 2e-5
    found, left = 0.0, iter(_gradients(network, spikes.astype(float), labels))
    for p, (by, by_bias) in zip(network.projections, moved, strict=True):
        found += np.sum(next(left) * by)
        if p.map.bias is not None:
            found += np.sum(next(left) * by_bias)
    assert next(left, None) is None
    assert abs(wanted) > 1e-3
    assert found == pytest.approx(wanted, rel=1e-6)


def test_training_is_the_same_again_and_leaves_what_it_was_given():
    network, spikes, labels = looped(), spikes_of(count=20), np.arange(20) % 3
    before = [p.map.weights.copy() for p in network.projections]
    options = {"epochs": 2, "batch": 8, "drop": 0.2, "progress": False}
    first, again = (train(network, spikes, labels, seed=4, **options) for _ in range(2))
    other = train(network, spikes, labels, seed=5, **options)
    for k, p in enumerate(network.projections):
        weights = [x.projections[k].map.weights for x in (first, again, other)]
        assert np.array_equal(p.map.weights, before[k])
        assert np.array_equal(weights[0], weights[1])
        assert not np.array_equal(weights[0], weights[2])
        assert not np.array_equal(weights[0], before[k])


@pytest.mark.parametrize("bits", [3, 8])
def test_trained_with_what_is_rounded_integers_have_the_very_weights(bits):
    network, spikes = looped(bits=bits), spikes_of(count=20)
    trained = train(network, spikes, np.arange(20) % 3, epochs=2, quantised=True, progress=False)
    chip = trained.fixed()
    for (name, to), total in chip.totals.items():
        assert total.base.tolist() == (trained.base(name, to) * 2.0**total.fraction).tolist()
        for s in total.synapses:
            assert s.error == 0
            assert np.abs(s.weights).max() <= 2 ** (bits - 1)
            assert len(np.unique(s.weights)) > 2
    float_run, fixed_run = (x.run(x=spikes, progress=False) for x in (trained, chip))
    for name in network.layers:
        assert np.array_equal(float_run.spike[name], fixed_run.spike[name])


def test_a_given_binary_point_stays_and_what_does_not_fit_it_is_limited():
    network = Network()
    network.input("x", 5)
    network.population("out", Leaky(), 3)
    network.connect("x", "out", Dense(np.full((3, 5), 2.3)), bits=4, point=2)
    options = {"epochs": 1, "quantised": True, "progress": False}
    trained = train(network, spikes_of(), np.zeros(7, int), **options)
    assert set(trained.projections[0].map.weights.flat) <= {1.5, 1.75}
    assert trained.fixed().totals["out", "I"].synapses[0].point == 2


# -- digits ---------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return demo_network(tmp_path_factory.mktemp("demo"))


def test_digits_are_read_and_integers_are_as_good_as_float(demo):
    found = demo["figures"]["accuracy"]
    assert found["float"] >= 0.96
    assert found["integers"] >= found["float"] - 0.005
    assert abs(found["integers"] - found["weights_of_8_bits"]) <= 0.005
    assert len(demo["labels"]) == demo["figures"]["items"] == 449
    assert found["integers"] == np.mean(demo["told"] == demo["labels"])
    assert found["weights_of_8_bits"] == accuracy(demo["network"], demo["spikes"], demo["labels"])


def test_the_demo_draws_its_network_and_says_what_it_measured(demo):
    for path in demo["figures"]["plots"]:
        assert Path(path).read_bytes().startswith(b"\x89PNG")
    for name, share in demo["figures"]["accuracy"].items():
        assert f"{name.replace('_', ' '):18s} {share:.2%} right" in demo["text"]


@pytest.mark.parametrize("bits", [6, 4])
def test_digits_are_read_with_weights_of_fewer_bits(demo, bits):
    images, labels = digits()
    shown = np.arange(len(labels)) % 4 != 3
    spikes = rate_coded(images.reshape(-1, 64), 16)[:, shown]
    network = demo["network"]
    network = replace(network, projections=[replace(p, bits=bits) for p in network.projections])
    options = {"epochs": 5, "rate": 0.005, "drop": 0.25, "progress": False}
    chip = train(network, spikes, labels[shown], quantised=True, **options).fixed()
    assert accuracy(chip, demo["spikes"], demo["labels"]) >= 0.95
    largest = [np.abs(s.weights).max() for t in chip.totals.values() for s in t.synapses]
    assert max(largest) <= 2 ** (bits - 1)


@pytest.mark.slow
def test_mnist_is_read_and_integers_are_as_good_as_float():
    images, labels = mnist(12)
    spikes, test = rate_coded(images.reshape(-1, 144), 16), np.arange(5000) % 4 == 3
    described = runpy.run_path(str(EXAMPLES / "digits.py"))["described"](144, 64, seed=3)
    shown, unseen = (spikes[:, ~test], labels[~test]), (spikes[:, test], labels[test])
    network = train(described, *shown, epochs=12, drop=0.25, progress=False)
    share = accuracy(network, *unseen)
    assert share >= 0.92
    network.calibrate(pixels=shown[0], progress=False)
    assert abs(accuracy(network.fixed(), *unseen) - share) <= 0.005


@pytest.mark.slow
def test_integers_of_a_trained_loop_fire_as_float_does():
    example = runpy.run_path(str(EXAMPLES / "sequence.py"))
    spikes, _ = example["sequences"]()
    assert spikes.shape == (256, 1797, 8)
    assert example["described"]().layers["hidden"].count == 40
    share, differ, alike = example["main"]()["with what is rounded"]
    assert share > 0.7
    assert differ <= 0.002
    assert alike == 1


# -- what cannot be trained -----------------------------------------------------------------------
def of_another_neuron():
    network = Network()
    network.input("x", 5)
    network.population("out", LIF(), 3)
    network.connect("x", "out", Dense(np.ones((3, 5))))
    return network


def of_another_map():
    network = looped()
    network.connect("out", "out", Scale(0.5), delay=1)
    return network


def of_two_outputs():
    network = looped()
    network.output("hidden")
    return network


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (of_another_neuron, ScneuroError, "cannot train out, which is <population of 3 LIF>"),
        (of_another_map, ScneuroError, "train() cannot train out > out, which is Scale"),
        (of_two_outputs, ScneuroError, "looped has 2 outputs: out, hidden"),
        (Leaky, TypeError, "train() takes a network, not Leaky"),
    ],
)
def test_what_cannot_be_trained_is_refused(make, error, words):
    with pytest.raises(error) as caught:
        train(make(), spikes_of(), np.zeros(7, int))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("spikes", "labels", "words"),
    [
        (spikes_of()[:, 0], np.zeros(7, int), "inputs must have shape (T, items, 5), not (20, 5)"),
        (spikes_of(), np.zeros(6, int), "labels must be 7 whole numbers"),
        (spikes_of(), np.zeros(7), "labels must be 7 whole numbers"),
        (spikes_of(), np.arange(7), "labels must be 0 to 2, the neurons of out, and are 0 to 6"),
    ],
)
def test_examples_that_do_not_fit_are_refused(spikes, labels, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        train(looped(), spikes, labels)


# -- images ---------------------------------------------------------------------------------------
def test_images_lie_in_packages():
    images, labels = digits()
    assert images.shape == (1797, 8, 8)
    assert images.min() == 0
    assert images.max() == 1
    assert labels[:10].tolist() == list(range(10))
    small, of_them = mnist(7)
    whole, again = mnist()
    assert whole.shape == (5000, 28, 28)
    assert np.array_equal(of_them, again)
    assert np.bincount(of_them).tolist() == [500] * 10
    assert np.allclose(small[17, 3, 2], whole[17, 12:16, 8:12].mean())
    assert np.allclose(mnist(12)[0][17, 3, 2], whole[17, 8:10, 6:8].mean())
    with pytest.raises(ValueError, match="size must be 28, 14, 12 or 7, not 13"):
        mnist(13)


def test_images_that_are_not_there_say_what_to_install(monkeypatch):
    monkeypatch.setattr("scneuro.signals.images.find_spec", lambda name: None)
    with pytest.raises(ScneuroError) as caught:
        digits()
    assert "the images lie in scikit-learn" in str(caught.value)
    assert 'pip install "scneuro[examples]"' in caught.value.hint


def test_rates_become_spikes_evenly_in_time():
    spikes = rate_coded(np.array([0.0, 0.25, 0.5, 1.0]), 8)
    assert spikes.sum(axis=0).tolist() == [0, 2, 4, 8]
    assert np.flatnonzero(spikes[:, 1]).tolist() == [3, 7]
    with pytest.raises(ValueError, match="rates must be 0 to 1"):
        rate_coded([1.5], 8)
