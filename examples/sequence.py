"""A recurrent network of 40 hidden neurons reads digits row by row: do its integers fire alike?

    python examples/sequence.py

Eight lines carry one row of an image after the other, four steps each, and all eight times over,
as a camera with a rolling shutter would: 256 steps. Prints how many spike bits of float and of
integers differ over a test split, for training in float alone and with what the integers round.
Needs ``pip install "scneuro[examples]"``, and some 20 seconds.
"""

import numpy as np

from scneuro.network import Dense, Network
from scneuro.network.train import Leaky, accuracy, classes, train
from scneuro.signals.images import digits, rate_coded

FRAMES, HELD = 8, 4


def sequences() -> tuple[np.ndarray, np.ndarray]:
    """Spikes (256, items, 8) and labels (items,)."""
    images, labels = digits()
    coded = rate_coded(images, FRAMES * HELD).reshape(FRAMES, HELD, -1, 8, 8)
    return coded.transpose(0, 3, 1, 2, 4).reshape(FRAMES * 8 * HELD, -1, 8), labels


def described(seed: int = 1) -> Network:
    """Hidden neurons that hear each other a step later."""
    random = np.random.default_rng(seed)
    network = Network("sequence")
    network.input("rows", 8)
    network.population("hidden", Leaky(decay=0.875), 40)
    network.population("out", Leaky(decay=0.9375), 10)
    network.connect("rows", "hidden", Dense(random.normal(0, 0.35, (40, 8)), np.zeros(40)))
    network.connect("hidden", "hidden", Dense(random.normal(0, 0.08, (40, 40))), delay=1)
    network.connect("hidden", "out", Dense(random.normal(0, 0.3, (10, 40)), np.zeros(10)))
    return network


def compared(network: Network, spikes: np.ndarray) -> tuple[float, float]:
    """The share of spike bits in which float and integers differ, and of items told alike."""
    runs = [x.run(rows=spikes, record=(), progress=False) for x in (network, network.fixed())]
    bits = [np.concatenate([*run.spike.values()], axis=2) for run in runs]
    told = [classes(run, "out") for run in runs]
    return float(np.mean(bits[0] != bits[1])), float(np.mean(told[0] == told[1]))


def main() -> dict[str, tuple[float, float, float]]:
    spikes, labels = sequences()
    test = np.arange(len(labels)) % 4 == 3
    shown, unseen = (spikes[:, ~test], labels[~test]), (spikes[:, test], labels[test])
    network = train(described(), *shown, epochs=12, rate=0.01, progress=False)
    network.calibrate(rows=shown[0], progress=False)
    chip = train(network, *shown, epochs=3, rate=0.002, quantised=True, progress=False)
    found = {}
    for name, each in (("in float", network), ("with what is rounded", chip)):
        share, (differ, alike) = accuracy(each, *unseen), compared(each, unseen[0])
        print(f"trained {name}: {share:.1%} right; integers: {differ:.4%} of spike bits differ,")
        print(f"  {alike:.1%} of the classes are the same")
        found[name] = share, differ, alike
    return found


if __name__ == "__main__":
    main()
