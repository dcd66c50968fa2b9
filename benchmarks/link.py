"""The link: what it takes, how much of a line is payload, how fast a simulated board is.

    python benchmarks/link.py [--device up5k] [--json FILE]

Logic is that of a linked network with its UART less that of the same network whose memories are on
pins. Bytes and times are of the simulated board, clock by clock; clocks a second are of this
machine, where nothing is asked of the board.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from amaranth import Cat, Elaboratable, Module, Signal

from scneuro import LIF, AdEx, Network, Population
from scneuro.boards import board, connect
from scneuro.boards.area import DEVICES, measure_gates
from scneuro.boards.design import linked_top
from scneuro.boards.memory import network_form
from scneuro.hdl.link.top import link_plan
from scneuro.hdl.network import Network as Gates
from scneuro.network import Dense
from scneuro.sim.live.board import SimulatedPort
from scneuro.sim.live.simulated import simulated_board

BOARD = "icebreaker"
CLOCKS = 20_000_000


class OnPins(Elaboratable):
    """A linked network whose inputs are a shift register, and whose outputs a parity.

    With ``twice``, there are another such register and another such parity besides, which says what
    one of them takes.
    """

    def __init__(self, gates: Gates, *, twice: bool = False) -> None:
        self.gates, self._twice = gates, twice
        self.i, self.o = Signal(), Signal(2)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.network = gates = self.gates
        access = gates.access
        given = Cat(gates.i.payload, gates.i.valid, gates.tick, gates.restart_now)
        given = Cat(given, access.row, access.data, access.region, access.valid, access.write)
        made = Cat(gates.o.payload, gates.o.valid, gates.i.ready, gates.busy, gates.done)
        made = Cat(made, gates.waiting, gates.saturated, access.result, access.ready)
        kept, more = Signal(len(given)), Signal(len(given))
        m.d.comb += [given.eq(kept), gates.o.ready.eq(1)]
        m.d.sync += [kept.eq(Cat(self.i, kept)), self.o[0].eq(made.xor())]
        if self._twice:
            few = Cat(more[k % len(more)] for k in range(len(made)))
            m.d.sync += [more.eq(Cat(~self.i, more)), self.o[1].eq(few.xor())]
        return m


def logic(network: Network, device: str) -> dict[str, Any]:
    """Cells with the link, and without it, of it, and of the stub that takes its place."""
    part, target = DEVICES[device], board(BOARD)
    fixed = network.fixed()
    once, twice = (
        OnPins(Gates(fixed, 1, network_form(part), linked=True), twice=twice)
        for twice in (False, True)
    )
    single, double = (measure_gates(top, [top.i, top.o], device).used for top in (once, twice))
    stub = double["logic"] - single["logic"]
    hardware = Gates(fixed, 1, network_form(part), linked=True)
    rates = link_plan(fixed, hardware, clock_hz=target.clock_hz, flat_out=True)
    top = linked_top(fixed, hardware, rates, target)
    found = measure_gates(top, [top.rx, top.tx, top.led, top.late], device)
    without = single["logic"] - stub
    return {
        "with": found.used,
        "without": without,
        "stub": stub,
        "link": found.used["logic"] - without,
        "fmax_mhz": found.best,
    }


def bursts(baud: int) -> dict[str, Any]:
    """The weights of 64 x 32 synapses, written and read back."""
    network = Network("bursts")
    network.input("x", 64)
    network.population("h", LIF(), 32)
    rng = np.random.default_rng(0)
    network.connect("x", "h", Dense(rng.normal(0, 20, (32, 64))))
    simulated = simulated_board(network, board(BOARD), baud=baud)
    port = Counted(simulated)
    with connect(port, network, baud=baud) as chip:
        weights = rng.normal(0, 20, (32, 64))
        port.sent = port.received = 0
        begin = port.now()
        chip.weights["x > h"] = weights
        took, sent, received = port.now() - begin, port.sent, port.received
        kept = np.asarray(chip.weights["x > h"])
    payload = weights.size
    point = 2.0 ** -np.round(np.log2(1 / np.min(np.abs(kept[kept != 0]))))
    return {
        "baud": baud,
        "milliseconds": took * 1e3,
        "bytes_sent": sent,
        "bytes_received": received,
        "payload": payload,
        "share_of_bytes": payload / (sent + received),
        "read_back": float(np.abs(kept - weights).max() / point),
    }


class Counted(SimulatedPort):
    """A simulated board's port that counts."""

    sent = received = 0

    def write(self, content: bytes) -> None:
        self.sent += len(content)
        super().write(content)

    def read(self, timeout: float) -> bytes:
        found = super().read(timeout)
        self.received += len(found)
        return found


def speed(network: Network) -> float:
    """Clocks a second of a board that makes steps of what is held."""
    simulated = simulated_board(network, board(BOARD), flat_out=True)
    with connect(SimulatedPort(simulated), network) as chip:
        chip.hold(**{n: np.zeros(s.shape) for n, s in network.inputs.items()})
        chip.start(paced=True)
        begin, clocks = time.perf_counter(), simulated.clocks
        simulated.exchange(b"", CLOCKS)
        return (simulated.clocks - clocks) / (time.perf_counter() - begin)


def small_net() -> Network:
    """64 inputs, 32 hidden, 10 outputs."""
    rng = np.random.default_rng(0)
    network = Network("64-32-10")
    network.input("x", 64)
    network.population("hidden", LIF(), 32)
    network.population("out", LIF(), 10)
    network.connect("x", "hidden", Dense(rng.normal(0, 20, (32, 64))))
    network.connect("hidden", "out", Dense(rng.normal(0, 20, (10, 32))))
    return network


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=DEVICES, default="up5k")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    one, many = Network.of(LIF()), Network.of(Population(AdEx(), 64))
    for name, network in (("lif", one), ("64 adex", many)):
        found[name] = logic(network, options.device)
        print(
            f"{name} on {options.device}: {found[name]['link']} of logic for the link", flush=True
        )
    for baud in (1_000_000, 3_000_000):
        row = found[f"bursts {baud}"] = bursts(baud)
        print(
            f"2,048 weights at {baud:,} baud: {row['milliseconds']:.1f} ms, "
            f"{row['share_of_bytes']:.1%} of all bytes are payload, both ways",
            flush=True,
        )
    for name, network in (("lif", one), ("64-32-10", small_net())):
        found[f"speed {name}"] = speed(network)
        print(f"{name}: {found[f'speed {name}'] / 1e6:.1f} million clocks a second", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
