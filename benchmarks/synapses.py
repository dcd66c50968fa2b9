"""Networks on devices: what they take, how fast they are, how many synapses they add a second.

    python benchmarks/synapses.py [--json FILE] [--only NAME ...] [--seeds N ...]

A network is placed and routed with its streams on pins. Its gates, compiled, run on random spikes;
synaptic operations are the weights of all spikes that arrived, and clocks are counted from the
first word to the last. The rate is at the clock of the best seed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scneuro import Input, Network, Neuron, State
from scneuro.boards.area import measure_network
from scneuro.boards.devices import DEVICES
from scneuro.boards.memory import network_form
from scneuro.hdl.network import Network as Gates
from scneuro.network import Conv2d, Dense, Flatten, SumPool2d
from scneuro.sim import network_parity


class Unit(Neuron):
    """Leaky integrate-and-fire, without units."""

    alpha: float = 0.1
    dt: float = 1.0
    v = State(word="Q4.12")
    drive = Input(word="Q4.12")

    def update(self, v: Any, drive: Any) -> tuple[Any, ...]:
        v = v + self.alpha * (drive - v)
        return v >= 1.0, np.where(v >= 1.0, 0.0, v)


class Adding(Neuron):
    """Integrate and fire."""

    gain: float = 1.0
    dt: float = 1.0
    v = State(word="Q4.12")
    drive = Input(word="Q4.12")

    def update(self, v: Any, drive: Any) -> tuple[Any, ...]:
        v = v + self.gain * drive
        return v > 1.0, np.where(v > 1.0, 0.0, v)


def dense(sources: int, neurons: int, bits: int) -> Network:
    """One population, all to all."""
    rng = np.random.default_rng(0)
    net = Network(f"{sources}-{neurons}")
    net.input("x", sources)
    net.population("h", Unit(), neurons)
    net.connect("x", "h", Dense(rng.normal(0, 0.3, (neurons, sources))), bits=bits)
    return net


def convolutional() -> Network:
    """Three convolutions and a readout: 8,986 neurons, 47,000 weights."""
    rng = np.random.default_rng(0)
    net = Network("convolutional")
    net.input("image", (2, 34, 34))
    net.population("c1", Adding(), (16, 17, 17))
    net.population("c2", Adding(), (32, 8, 8))
    net.population("c3", Adding(), (36, 8, 8))
    net.population("out", Adding(), 10)
    net.connect("image", "c1", Conv2d(rng.normal(0, 0.2, (16, 2, 5, 5)), stride=2, padding=2))
    kernel = rng.normal(0, 0.1, (32, 16, 5, 5))
    net.connect("c1", "c2", [SumPool2d(2), Conv2d(kernel, padding=2)])
    net.connect("c2", "c3", Conv2d(rng.normal(0, 0.1, (36, 32, 3, 3)), padding=1))
    net.connect("c3", "out", [Flatten(), Dense(rng.normal(0, 0.1, (10, 36 * 64)))])
    return net


@dataclass(frozen=True)
class Case:
    """A network on a device."""

    make: Callable[[], Network]
    device: str
    lanes: int
    loaded: bool
    rate: float
    steps: int


CASES = {
    "up5k-8bit": Case(lambda: dense(512, 256, 8), "up5k", 8, True, 0.5, 20),
    "up5k-4bit": Case(lambda: dense(512, 256, 4), "up5k", 16, True, 0.5, 20),
    "ecp5-8bit": Case(lambda: dense(512, 512, 8), "ecp5-85k", 64, False, 0.5, 10),
    "ecp5-convolutional": Case(convolutional, "ecp5-85k", 16, False, 0.02, 4),
}


def measure(name: str, seeds: list[int]) -> dict[str, Any]:
    """Everything about one case."""
    case = CASES[name]
    network = case.make()
    rng = np.random.default_rng(1)
    (source,) = network.inputs.values()
    spikes = (rng.random((case.steps, *source.shape)) < case.rate).astype(float)
    gates = Gates(
        network.fixed(), case.lanes, network_form(DEVICES[case.device]), loaded=case.loaded
    )
    found = network_parity(network, {source.name: spikes}, gates=gates, progress=False)
    added = 0
    for p in network.projections:
        x = spikes if p.source == source.name else found.fixed_run.spike[p.source]
        shape = network.nodes[p.source].shape
        reached = p.map.apply(x.reshape(-1, *shape), np.ones_like(p.map.weights))
        added += round(reached.sum())
    loading = len(gates.plan.weights) * (3 + gates.plan.row_words) if case.loaded else 0
    clocks = found.clocks - loading
    area = measure_network(network, case.device, lanes=case.lanes, loaded=case.loaded, seeds=seeds)
    return {
        "name": name,
        "neurons": sum(layer.count for layer in network.layers.values()),
        "weights": sum(int(p.map.weights.size) for p in network.projections),
        "bits": gates.plan.bits,
        "lanes": case.lanes,
        "used": area.used,
        "fmax_mhz": list(area.fmax_mhz),
        "path": area.path,
        "differing": found.differing,
        "steps": case.steps,
        "clocks_a_step": clocks / case.steps,
        "worst_clocks": gates.worst_clocks,
        "operations_a_clock": added / clocks,
        "operations_a_second": added / clocks * area.best * 1e6,
        "ms_a_step": clocks / case.steps / area.best / 1e3,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    options = parser.parse_args()
    rows = []
    for name in options.only:
        rows.append(row := measure(name, options.seeds))
        used = ", ".join(f"{count} {what}" for what, count in row["used"].items())
        print(
            f"{name}: {row['neurons']:,} neurons, {row['weights']:,} weights of {row['bits']} bit, "
            f"{row['lanes']} a clock: {used}; {max(row['fmax_mhz']):.1f} MHz ({row['path']}); "
            f"{row['clocks_a_step']:,.0f} clocks a step ({row['worst_clocks']:,} at most), "
            f"{row['ms_a_step']:.3f} ms; {row['operations_a_second'] / 1e6:,.0f} million synaptic "
            f"operations a second; {row['differing']} bits differ",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
