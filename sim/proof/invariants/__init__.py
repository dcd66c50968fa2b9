"""What holds for ever around the datapath: handshakes, registers, resets, ticks, UART, frames.

:func:`~scneuro.sim.proof.prove` shows what the datapath computes. Here it is shown, by induction
over the clocks, that the hardware around it does not lose, double or disturb what it computes.
Each block is put next to a plain specification of it, a *monitor*, with assertions that the two
agree; yosys makes the formulas, yosys-smtbmc and z3 decide them. A proof by induction covers every
reachable state, at any time.

What the datapath computes may be anything at any time, so what is shown of a neuron's registers
holds whatever they are given.
"""

from .blocks import frame_writer, lfsr
from .harness import Harness
from .link import frames, processor
from .network import prove_network
from .neuron import neuron, neuron_reset
from .population import prove_population
from .solver import Invariant, check
from .spikes import resets
from .suite import prove_invariants
from .top import timebase
from .uart import line, loopback, receiver, transmitter

__all__ = [
    "Harness",
    "Invariant",
    "check",
    "frame_writer",
    "frames",
    "lfsr",
    "line",
    "loopback",
    "neuron",
    "neuron_reset",
    "processor",
    "prove_invariants",
    "prove_network",
    "prove_population",
    "receiver",
    "resets",
    "timebase",
    "transmitter",
]
