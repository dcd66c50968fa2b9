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
from amaranth import Elaboratable, Module, Signal

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
    """A linked network whose every port is a shift register or a parity of few pins."""

    def __init__(self, gates: Gates) -> None:
        self.gates, self.i, self.o = gates, Signal(8), Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.network = gates = self.gates
        access, kept = gates.access, Signal(16 + len(gates.access.data) + 40)
        m.d.sync += [
            kept.eq((kept << 8) | self.i),
            self.o.eq(
                gates.o.payload.xor()
                ^ gates.o.valid
                ^ (access.result.xor() & access.ready)
                ^ gates.busy
                ^ gates.done
                ^ gates.waiting
                ^ gates.i.ready
                ^ gates.saturated.xor()
            ),
        ]
        m.d.comb += [
            gates.i.payload.eq(kept),
            access.row.eq(kept),
            access.data.eq(kept >> 16),
            access.region.eq(self.i),
            access.valid.eq(kept[-1]),
            access.write.eq(kept[-2]),
            gates.i.valid.eq(kept[-3]),
            gates.tick.eq(kept[-4]),
            gates.restart_now.eq(kept[-5]),
            gates.o.ready.eq(1),
        ]
        return m


def logic(network: Network, device: str) -> dict[str, Any]:
    """Cells with the link, without it, and of it."""
    part, target = DEVICES[device], board(BOARD)
    fixed = network.fixed()
    bare = OnPins(Gates(fixed, 1, network_form(part), linked=True))
    without = measure_gates(bare, [bare.i, bare.o], device).used
    hardware = Gates(fixed, 1, network_form(part), linked=True)
    rates = link_plan(fixed, hardware, clock_hz=target.clock_hz, flat_out=True)
    top = linked_top(fixed, hardware, rates, target)
    found = measure_gates(top, [top.rx, top.tx, top.led, top.late], device)
    return {
        "with": found.used,
        "without": without,
        "link": found.used["logic"] - without["logic"],
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
