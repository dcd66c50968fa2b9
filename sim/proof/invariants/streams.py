"""What is claimed of the streams of one neuron's hardware, and of its draws, whatever is inside."""

from __future__ import annotations

from typing import Any

from amaranth import Signal

from ....fixed import FixedNeuron
from ....stochastic import LFSR as Sequence
from .harness import Harness, implies, same

__all__ = ["Streams", "draws", "once", "reset_draws", "result"]


class Streams:
    """A neuron's hardware, and what the claims of its streams have in common.

    Parameters
    ----------
    dut : component
        With the signature of a neuron.
    fixed : FixedNeuron
    **options
        Of the harness.
    """

    def __init__(self, dut: Any, fixed: FixedNeuron, **options: Any) -> None:
        self.dut, self.fixed, self.lowered = dut, fixed, fixed.lowered
        self.h = h = Harness(fixed.name, dut=dut, **options)
        self.i, self.o = dut.i, dut.o
        self.accepted, self.taken = Signal(), Signal()
        h.m.d.comb += [
            self.accepted.eq(self.i.valid & self.i.ready),
            self.taken.eq(self.o.valid & self.o.ready),
        ]
        held = h.was(self.i.valid & ~self.i.ready)
        h.assume(implies(held, self.i.valid & same(self.i.payload, h.was(self.i.payload))))

    @property
    def sources(self) -> dict[str, int]:
        """The LFSRs by name, and the seed of each."""
        seed = self.fixed.seed
        found = {"noise": Sequence.apart(seed), "dither": seed}
        wanted = {"noise": self.lowered.drawn, "dither": self.lowered.dither}
        return {name: Sequence(found[name]).state for name, drawn in wanted.items() if drawn}


def result(at: Streams) -> None:
    """A result waits unchanged."""
    h, o = at.h, at.o
    waits = h.was(o.valid & ~o.ready)
    h.claim(
        "result",
        "a result stays as it is, and so do the state registers, until it is taken",
        implies(waits, o.valid & same(o.payload, h.was(o.payload))),
        implies(waits, same(at.dut.state, h.was(at.dut.state))),
    )


def once(at: Streams) -> None:
    """As many results as inputs."""
    owed = Signal(4)
    at.h.m.d.sync += owed.eq(owed + at.accepted - at.taken)
    at.h.claim(
        "once",
        "every input has exactly one result: none is lost, doubled or overwritten",
        implies(at.i.ready, at.i.valid),
        owed == at.o.valid,
    )


def draws(at: Streams, *conditions: Any) -> None:
    """A set of draws for each input; ``conditions`` are claimed with it."""
    h = at.h
    if not at.sources:
        return
    h.claim(
        "draws",
        "every accepted input takes one set of draws, and no LFSR is ever all zeros",
        *(generator.en == at.accepted for generator in h.parts("dut", at.sources)),
        *conditions,
        *(h.register("state", f"dut.{name}") != 0 for name in at.sources),
    )


def reset_draws(at: Streams) -> None:
    """The draws begin anew."""
    h = at.h
    if not at.sources:
        return
    fresh = ~h.begun | h.was(h.rst)
    h.claim(
        "reset_draws",
        "at power-on and after a reset the LFSRs begin with their seeds",
        *(
            implies(fresh, h.register("state", f"dut.{name}") == seed)
            for name, seed in at.sources.items()
        ),
    )
