"""A layer of stochastic computing in gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...hdl.stochastic import Layer
from ...history import fixed_history
from ...stochastic.layers import FixedSCDenseLayer
from ...words import Q8_8, quantize
from ..engines.packing import packed
from .contract import Contract, Integers, Seen, Signature, Tables, rows_written
from .population import written_states

__all__ = ["COUNTED", "LayerContract"]

_SLOW = 8  # times as many clocks as rows and stages, if spikes wait to be counted
#: What a count on ``o`` is called.
COUNTED = "spikes counted"


class LayerContract(Contract):
    """A layer: words of its inputs; products that were 1, states, spikes, and counts of these.

    A frame is of all steps of an input, and ends with a count for each neuron.

    Parameters
    ----------
    gates : scneuro.hdl.stochastic.Layer
    fixed : FixedSCDenseLayer
    """

    def __init__(self, gates: Layer, fixed: FixedSCDenseLayer) -> None:
        self.gates, self.fixed, self.name = gates, fixed, fixed.population.name
        self.steps = fixed.projection.steps
        inner = gates.population
        rows, written = self.steps * gates.rows, gates.written.shape()
        step = 2 * gates.rows * inner.form.interval + inner.latency + 64 + 2 * fixed.n_neurons
        self.signature = Signature(
            (
                Seen("o.payload", gates.o.payload.shape(), fixed.n_neurons),
                Seen("counted", gates.counted.shape(), rows),
                Seen("written", written, rows * len(written.members)),
            ),
            patience=_SLOW * step,
            answers=fixed.n_neurons,
        )
        self.silence = (
            f"{self.name}: the hardware of the layer stopped answering",
            "it must send a count for each neuron",
        )

    def words(self, given: Mapping[str, np.ndarray], begin: int) -> tuple[np.ndarray, np.ndarray]:
        runs, inputs = given["x"].shape
        payloads = packed([(given["x"].reshape(-1), len(self.gates.i.payload))])
        return payloads, inputs * (1 + np.arange(runs))

    def tables(self, seen: Sequence[dict[str, np.ndarray]], begin: int, frames: int) -> Tables:
        rates, counted, written = seen
        steps, neurons = frames * self.steps, self.fixed.n_neurons
        counts = rows_written(self.name, counted, "", self.gates.rows, steps, "counts")
        own = written_states(self.fixed.population, self.gates.population, written, steps)
        return {"count": counts[:, :neurons], **own, COUNTED: rates[""].reshape(frames, neurons)}

    def compute(self, given: Mapping[str, np.ndarray], *, progress: bool = False) -> Integers:
        projection, population, x = self.fixed.projection, self.fixed.population, given["x"]
        counts = np.concatenate([projection.counts(row, k * self.steps) for k, row in enumerate(x)])
        words = {}
        for name, default in population.input_defaults.items():
            word = int(quantize(default, name))
            added = projection.currents(counts) if name == self.fixed.input else 0 * counts
            ends = round(Q8_8.least / Q8_8.lsb), round(Q8_8.greatest / Q8_8.lsb)
            words[name] = np.clip(word + added, *ends)
        population.reset()
        history = fixed_history(population.one, words, progress)
        population.reset()
        rates = history.spikes.reshape(len(x), self.steps, -1).sum(axis=1)
        return Integers(
            {"count": counts, **history.after, "spike": history.spikes, COUNTED: rates}, history
        )
