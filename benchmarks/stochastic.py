"""What stochastic computing misses, by the length of its streams, and what it takes.

    python benchmarks/stochastic.py          # seconds: errors and correlations
    python benchmarks/stochastic.py --area   # a quarter of an hour: cells and clocks of devices
    python benchmarks/stochastic.py --area --only ecp5-85k

It prints the tables of docs/stochastic.md. Errors are of products over a grid of 33 x 33 values,
root mean square; Bernoulli's streams are drawn by NumPy, 20 times. The area of synapses is compared
with that of multiply-accumulates in Q8.8 that do the same job: the input currents of all neurons
from the same inputs, with the weights in a memory. Both have their inputs in registers that are
filled a word a clock.
"""

from __future__ import annotations

import argparse
import itertools
from typing import Any

import numpy as np
from amaranth import Elaboratable, Module, Signal, signed
from amaranth.lib.memory import Memory

from scneuro import LIF, AdExLayer, Network, Stochastic
from scneuro.boards.area import (
    measure_gates,
    measure_layer,
    measure_network,
    measure_population,
)
from scneuro.errors import ToolError
from scneuro.hdl.stochastic import Synapses
from scneuro.network import Dense
from scneuro.stochastic import Source, sources_for
from scneuro.stochastic.bitstreams import bits_for
from scneuro.stochastic.streams import bits_of, product, words_of

GRID = np.linspace(0, 1, 33)
LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 4096)
TARGETS = ((16, 8, "up5k"), (64, 32, "ecp5-85k"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--area", action="store_true")
    devices = [device for _, _, device in TARGETS]
    parser.add_argument("--only", choices=devices, help="the area on this device alone")
    options = parser.parse_args()
    if options.area:
        areas([options.only] if options.only else devices)
        return
    errors(bipolar=False)
    errors(bipolar=True)
    layers()
    correlations()


def miss(first: Source, second: Source, length: int, bipolar: bool) -> float:
    """The rms error of the products of two sources' streams."""
    values = 2 * GRID - 1 if bipolar else GRID
    words = words_of(values, first.levels, "a value", bipolar=bipolar)[:, None]
    a, b = (bits_of(words, s.draws(0, length)) for s in (first, second))
    return wrong(a, b, values, bipolar)


def wrong(a: np.ndarray, b: np.ndarray, values: np.ndarray, bipolar: bool) -> float:
    ones = product(a[:, None], b[None], bipolar=bipolar).mean(axis=2)
    found = 2 * ones - 1 if bipolar else ones
    return float(np.sqrt(np.mean((found - np.outer(values, values)) ** 2)))


def errors(bipolar: bool) -> None:
    """By length: sources that fit, registers of 16 bits whatever the length, and Bernoulli's."""
    print(f"\n| {'bipolar' if bipolar else 'unipolar'} product, rms |", end="")
    print(" ".join(f" {length:,} |" for length in LENGTHS), end=f"\n|---|{'---|' * len(LENGTHS)}\n")
    values = 2 * GRID - 1 if bipolar else GRID
    rng = np.random.default_rng(0)
    rows: dict[str, list[float]] = {}
    for length in LENGTHS:
        for kind in ("lfsr", "low_discrepancy"):
            name = kind.replace("_", " ").replace("lfsr", "LFSR")
            fits = Source(bits_for(length), kind)
            rows.setdefault(f"{name}, a period", []).append(
                miss(fits, fits.mirror, length, bipolar)
            )
            if kind == "lfsr":
                seen = [miss(s, s.mirror, length, bipolar) for s in sources_for(16, 16, kind)]
                rows.setdefault(f"{name} of 16 bits, mean of 16", []).append(float(np.mean(seen)))
        share = (values + 1) / 2 if bipolar else values
        drawn = [
            wrong(*(rng.random((2, len(share), length)) < share[:, None]), values, bipolar)
            for _ in range(20)
        ]
        rows.setdefault("Bernoulli", []).append(float(np.mean(drawn)))
    for name, found in rows.items():
        print(f"| {name} | " + " | ".join(f"{value:.4f}" for value in found) + " |")


def layers() -> None:
    """By length: the mean current of a neuron with 16 inputs, as a share of the greatest."""
    print("\n| current of 16 inputs, rms | " + " | ".join(f"{n:,}" for n in LENGTHS), end=" |\n")
    print(f"|---|{'---|' * len(LENGTHS)}")
    rng = np.random.default_rng(1)
    weights, x = rng.random((64, 16)), rng.random((8, 16))
    for name, options in {
        "LFSR": {"source": "lfsr"},
        "LFSR, one for all": {"source": "lfsr", "sources": 1},
        "low discrepancy": {"source": "low_discrepancy"},
    }.items():
        found = []
        for length in LENGTHS:
            projection = Stochastic(weights, length, **options)
            off = [
                projection.counts(projection.input_words(row)).mean(axis=0) - weights @ row
                for row in x
            ]
            found.append(np.sqrt(np.mean(np.square(off))) / 16)
        print(f"| {name} | " + " | ".join(f"{value:.4f}" for value in found) + " |")


def correlations() -> None:
    """Of all pairs of inputs' streams, and of each input's and its weight's, for 1/8 to 7/8."""
    print("\n| sources | two inputs' streams: worst | mean | a source and its mirror: worst |")
    print("|---|---|---|---|")
    for kind, (bits, count) in itertools.product(
        ("lfsr", "low_discrepancy"), ((8, 10), (9, 20), (10, 48))
    ):
        found = sources_for(count, bits, kind, shared=count)
        period = found[0].levels
        words = np.arange(-(-period // 8), period * 7 // 8 + 1, period // 64 if bits > 8 else 1)
        streams = [normal(words, s, period) for s in found]
        mirrors = [normal(words, s.mirror, period) for s in found]
        flat, other = np.concatenate(streams), np.concatenate(mirrors)
        shape = count, len(words), count, len(words)
        pairs = np.abs(flat @ flat.T).reshape(shape).swapaxes(1, 2)[~np.eye(count, dtype=bool)]
        own = np.abs(flat @ other.T).reshape(shape).swapaxes(1, 2)[np.eye(count, dtype=bool)]
        print(
            f"| {count} {kind} of {bits} bits | {pairs.max():.3f} | {pairs.mean():.3f} | "
            f"{own.max():.3f} |"
        )


def normal(words: np.ndarray, source: Source, period: int) -> np.ndarray:
    """The streams of words, so that products of two add up to their correlation."""
    bits = bits_of(words[:, None], source.draws(0, period)).astype(np.float32)
    bits -= bits.mean(axis=1, keepdims=True)
    found: np.ndarray = bits / np.sqrt((bits**2).sum(axis=1, keepdims=True))
    return found


class Filled(Elaboratable):
    """Some hardware of words, which are filled a word a clock, what leaves it folded into a bit."""

    def __init__(self, words: list[Any], leaves: Any, gates: Any) -> None:
        self._words, self._leaves, self._gates = words, leaves, gates
        self.i, self.en, self.o = Signal(len(words[0])), Signal(), Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.gates = self._gates
        kept = [Signal(len(word), name=f"x_{k}") for k, word in enumerate(self._words)]
        m.d.comb += [word.eq(value) for word, value in zip(self._words, kept, strict=True)]
        with m.If(self.en):
            m.d.sync += kept[-1].eq(self.i)
            m.d.sync += [here.eq(behind) for here, behind in itertools.pairwise(kept)]
        m.d.sync += self.o.eq(self._leaves.xor())
        return m


class MultiplyAccumulate(Elaboratable):
    """Dot products in Q8.8, row after row: ``together`` products a clock.

    It ends as a stream does, with a word that saturates nowhere: what is below 1/256 is cut off.
    """

    def __init__(self, weights: np.ndarray, together: int) -> None:
        self._weights, self._together = np.round(weights * 256).astype(int), together
        self.words = [Signal(16, name=f"word_{k}") for k in range(weights.shape[1])]
        self.o = Signal(16)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        neurons, inputs = self._weights.shape
        parts = inputs // self._together
        rows = [
            sum((int(w) & 0xFFFF) << 16 * k for k, w in enumerate(part))
            for row in self._weights
            for part in row.reshape(parts, self._together)
        ]
        m.submodules.weights = memory = Memory(
            shape=16 * self._together,
            depth=neurons * parts,
            init=rows,
            attrs={"rom_style": "block"},
        )
        read = memory.read_port()
        at, part, first = Signal(range(len(rows))), Signal(range(max(2, parts))), Signal()
        m.d.sync += at.eq(at + 1)
        with m.If(at == len(rows) - 1):
            m.d.sync += at.eq(0)
        m.d.comb += read.addr.eq(at)
        m.d.sync += part.eq(part + 1)
        with m.If(part == parts - 1):
            m.d.sync += part.eq(0)
        products = []
        for k in range(self._together):
            a = Signal(signed(16), name=f"a_{k}")
            b = Signal(signed(16), name=f"b_{k}")
            c = Signal(signed(32), name=f"c_{k}")
            choices = self.words[k :: self._together]
            with m.Switch(part):
                for n, word in enumerate(choices):
                    with m.Case(n):
                        m.d.sync += a.eq(word)
            m.d.comb += b.eq(read.data.word_select(k, 16))
            m.d.sync += c.eq(a * b)
            products.append(c)
        while len(products) > 1:
            products = [
                sum(products[k : k + 2][1:], products[k]) for k in range(0, len(products), 2)
            ]
        total = Signal(signed(40))
        stage = [Signal(name=f"begins_{k}") for k in range(2)]
        m.d.comb += first.eq(part == 0)
        m.d.sync += [after.eq(before) for before, after in itertools.pairwise([first, *stage])]
        with m.If(stage[-1]):
            m.d.sync += [total.eq(products[0]), self.o.eq(total >> 8)]
        with m.Else():
            m.d.sync += total.eq(total + products[0])
        return m


def areas(devices: list[str]) -> None:
    """Cells and clocks of the layers that were asked for, and of their synapses."""
    print(
        "| what | device | cells | MHz | clocks for the currents of a step |\n|---|---|---|---|---|"
    )
    for inputs, neurons, device in TARGETS:
        if device not in devices:
            continue
        layer = AdExLayer(inputs, neurons)
        name = f"{inputs} x {neurons}"
        show(f"layer of {name} AdEx", device, measure_layer(layer, device), "")
        show(f"its {neurons} AdEx", device, measure_population(layer.population, device), "")
        for together in (1, 4):
            options = {"per_step": together}
            projection = Stochastic(layer.weights, 256, **options)
            gates = Synapses(projection)
            words = [gates.words[k] for k in range(inputs)]
            top = Filled(words, gates.o.payload.as_value(), gates)
            ports = [top.i, top.en, top.o, gates.run, gates.o.ready]
            found = measure_gates(top, ports, device)
            bits = f", {together} bits a step" if together > 1 else ""
            show(f"{name} synapses{bits}", device, found, neurons)
        for at_once in (1, inputs):
            mac = MultiplyAccumulate(layer.weights, at_once)
            top = Filled(mac.words, mac.o, mac)
            try:
                found = measure_gates(top, [top.i, top.en, top.o], device)
            except ToolError as error:
                print(f"| {name} in Q8.8, {at_once} products a clock | {device} | no room | | |")
                print(str(error)[-300:])
                continue
            clocks = neurons * inputs // at_once
            show(f"{name} in Q8.8, {at_once} products a clock", device, found, clocks)
    if "up5k" in devices:
        weights = np.random.default_rng(0).random((32, 64))
        maps: dict[str, Any] = {
            "dense": Dense(10 * weights),
            "stochastic": Stochastic(weights, 256, gain=640.0),
        }
        for kind, each in maps.items():
            net = Network(kind)
            net.input("x", 64)
            net.population("out", LIF(), 32)
            net.connect("x", "out", each)
            show(f"network of 64 x 32 LIF, {kind}", "up5k", measure_network(net, "up5k"), "")


def show(what: str, device: str, area: Any, clocks: Any) -> None:
    used = ", ".join(f"{count:,} {kind}" for kind, count in area.used.items() if count)
    print(f"| {what} | {device} | {used} | {area.best} | {clocks} |", flush=True)


if __name__ == "__main__":
    main()
