"""One neuron in gates, ours or hand-written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...fixed import FixedNeuron
from ...hdl import signature
from ...history import fixed_history
from ..engines.packing import packed
from .contract import Contract, Integers, Seen, Signature, Tables

__all__ = ["NeuronContract"]

_PATIENCE = 100_000  # clocks a hand-written neuron may take for one step


class NeuronContract(Contract):
    """A neuron: words of its inputs in; its spike, its first state's word and its registers.

    Parameters
    ----------
    gates : Component
        With the signature of :func:`scneuro.hdl.signature`.
    fixed : FixedNeuron
    """

    def __init__(self, gates: Any, fixed: FixedNeuron) -> None:
        self.gates, self.fixed, self.name = gates, fixed, fixed.name
        ports = signature(fixed.lowered).members
        self.signature = Signature(
            (
                Seen("o.payload", ports["o"].signature.members["payload"].shape, 1),
                Seen("state", ports["state"].shape, 1),
            ),
            patience=_PATIENCE,
            answers=1,
            asleep=getattr(gates, "latency", 1) - 1,
            rest=1,
        )
        self.silence = (
            f"{self.name}: the hardware gave no result in {_PATIENCE:,} clocks",
            "i.ready must accept every input, and o.valid must rise once for each",
        )

    @property
    def excess(self) -> tuple[str, str]:
        said = f"{self.name}: the hardware gave a second result for one input"
        return said, "o.valid must fall when o.ready takes the result"

    def words(self, given: Mapping[str, np.ndarray], begin: int) -> tuple[np.ndarray, np.ndarray]:
        payloads = packed([(given[name], 16) for name in self.fixed.lowered.inputs])
        return payloads, 1 + np.arange(len(payloads))

    def tables(self, seen: Sequence[dict[str, np.ndarray]], begin: int, frames: int) -> Tables:
        result, registers = seen
        return {"spike": result["spike"], "word": result[self.fixed.state_names[0]], **registers}

    def compute(self, given: Mapping[str, np.ndarray], *, progress: bool = False) -> Integers:
        self.fixed.reset()
        history = fixed_history(self.fixed, given, progress)
        first = self.fixed.lowered.registers[self.fixed.state_names[0]]
        word = first.to_word(history.after[first.name])
        return Integers({"spike": history.spikes, "word": word, **history.after}, history)
