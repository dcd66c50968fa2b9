"""Items a second that a network of spiking neurons takes in software, on one core.

    python benchmarks/networks.py [--json FILE]

A network of 64-32-10 leaky neurons runs 1,000 of scikit-learn's digits over 16 steps: in integers,
in float, and in a plain NumPy loop that does nothing else. By the processor's own clock, which
leaves out what others take, best of several; NumPy's matrix products are told to take one thread.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.update(
    dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
)

import numpy as np  # after the number of threads is set

from scneuro.network import Dense, Network
from scneuro.network.train import Leaky
from scneuro.signals.images import digits, rate_coded

ITEMS, STEPS, REPEATS = 1_000, 16, 9


def rate(run):
    """Items a second of processor time."""
    best = float("inf")
    for _ in range(REPEATS):
        begin = time.process_time()
        run()
        best = min(best, time.process_time() - begin)
    return ITEMS / best


def loop(network, spikes):
    """The same network as a loop of NumPy, in float: how often each output fired."""
    maps = [(p.map.weights.T.copy(), p.map.bias) for p in network.projections]
    neurons = [layer.population.neuron for layer in network.layers.values()]

    def run():
        v = [np.zeros((ITEMS, w.shape[1])) for w, _ in maps]
        count = np.zeros((ITEMS, maps[-1][0].shape[1]), dtype=int)
        for fired in spikes:
            for k, (weights, bias) in enumerate(maps):
                v[k] = neurons[k].decay * v[k] + (fired @ weights + bias)
                above = v[k] > neurons[k].threshold
                v[k][above] = 0.0
                fired = above.astype(float)
            count += above
        return count

    return run


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    random = np.random.default_rng(1)
    network = Network("digits")
    network.input("pixels", 64)
    network.population("hidden", Leaky(), 32)
    network.population("out", Leaky(), 10)
    network.connect("pixels", "hidden", Dense(random.normal(0, 0.2, (32, 64)), np.zeros(32)))
    network.connect("hidden", "out", Dense(random.normal(0, 0.4, (10, 32)), np.zeros(10)))
    spikes = rate_coded(digits()[0][:ITEMS].reshape(ITEMS, -1), STEPS)
    runs = {
        name: lambda runner=runner: runner.run(pixels=spikes, record=(), progress=False)
        for name, runner in (("integers", network.fixed()), ("float", network))
    }
    runs["NumPy loop, float"] = loop(network, spikes.astype(float))
    counts = {n: run() for n, run in runs.items()}
    assert np.array_equal(counts["float"].spikes["out"], counts["NumPy loop, float"])
    rates = {name: rate(run) for name, run in runs.items()}
    print(f"{ITEMS:,} items, {STEPS} steps, 64-32-10 neurons, one core")
    for name, found in rates.items():
        against = found / rates["NumPy loop, float"]
        print(f"  {name:18s} {found:9,.0f} items/s   {against:.2f} times the NumPy loop")
    if options.json:
        text = json.dumps({"items": ITEMS, "steps": STEPS, "rates": rates}, indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
