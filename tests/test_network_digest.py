"""A network's digest: the same wherever its integers are, and of nothing else."""

import subprocess
import sys

import numpy as np
import pytest

from scneuro import LIF, Network, NoisyLIF, Population
from scneuro.network import Conv2d, Dense, Flatten, Scale

PROGRAM = "from test_network_digest import made; print(made().fixed().digest)"


def made(
    *,
    weight=0.0,
    alpha=10.0,
    delay=1,
    bias=0.0,
    seed=1,
    init=-65.0,
    factor=1.0,
    most=2,
    outputs=("o",),
    stride=1,
    name="net",
    word="Q8.8",
    to="x",
):
    r = np.random.default_rng(0)
    net = Network(name)
    net.input(to, (1, 4, 4), most=most)
    net.input("c", 3, kind="current")
    hidden = LIF(dt=1.0, tau_m=alpha)
    hidden.set_words(I=word)
    size = 3 if stride == 1 else 2
    net.population("h", hidden, (2, size, size), init={"V": init})
    net.population("o", NoisyLIF(dt=1.0), 3)
    net.layers["o"].population.one.seed = seed
    kernel = r.normal(0, 20, (2, 1, 2, 2))
    net.connect(to, "h", Conv2d(kernel, stride=stride))
    weights = r.normal(3, 3, (3, 18))[:, : 2 * size * size]
    weights[1, 3] += weight
    net.connect("h", "o", [Flatten(), Dense(weights, np.full(3, bias))], delay=delay)
    net.connect("c", "o", Scale(factor))
    net.output(*outputs)
    return net


OTHERS = {
    "a weight": {"weight": 0.5},
    "a parameter": {"alpha": 10.5},
    "a delay": {"delay": 2},
    "a bias": {"bias": 1.0},
    "a seed": {"seed": 2},
    "a start": {"init": -64.0},
    "a factor of numbers": {"factor": 2.0},
    "what comes in": {"most": 1},
    "what leaves": {"outputs": ("o", "h")},
    "a stride": {"stride": 2},
    "a word": {"word": "Q9.7"},
    "a name": {"to": "y"},
}


@pytest.mark.parametrize("what", OTHERS)
def test_whatever_decides_the_integers_decides_it(what):
    assert made(**OTHERS[what]).fixed().digest != made().fixed().digest


def test_what_does_not_is_not_in_it():
    own = made().fixed().digest
    assert own == made(name="another").fixed().digest == made().fixed().digest
    assert len(own) == 16
    assert int(own, 16)


def test_it_is_the_same_in_another_process():
    for seed in "12":
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        )
        assert done.stdout.strip() == made().fixed().digest


def test_options_and_other_weights_have_another():
    fixed = made().fixed()
    own = fixed.digest
    assert made().fixed(rounding="floor").digest != own
    weights = fixed.totals["o", "I"].synapses[0].weights
    assert fixed.with_weights({1: weights}).digest == own
    assert fixed.with_weights({1: weights - (weights == weights.max())}).digest != own


def test_parameters_of_one_neuron_decide_it():
    def of(values):
        return Network.of(Population(LIF(), 3, parameters={"R": values})).fixed().digest

    assert of([10.0, 11, 12]) == of([10.0, 11, 12]) != of([10.0, 12, 11])
