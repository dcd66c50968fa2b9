"""A population in gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...errors import ScneuroError
from ...hdl.population import Population
from ...history import fixed_history
from ...population import FixedPopulation
from ...words import nearest
from ..engines.packing import packed
from .contract import Contract, Integers, Seen, Signature, Tables, rows_written

__all__ = ["LEAVES", "PopulationContract", "written_states"]

_SLOW = 4  # times as many clocks as a step takes, if spikes are taken now and then
_REST = 16  # in which the last spikes leave
#: What a spike on ``o`` is called.
LEAVES = "a spike on its way out"


class PopulationContract(Contract):
    """A population: what is added to the words of its inputs; its states, spikes, and who fired.

    Parameters
    ----------
    gates : scneuro.hdl.Population
    fixed : FixedPopulation
    """

    def __init__(self, gates: Population, fixed: FixedPopulation) -> None:
        self.gates, self.fixed, self.name = gates, fixed, fixed.name
        self.rows, self.lanes = gates.rows, fixed.population.lanes
        written = gates.written.shape()
        self.names = list(written.members)
        step = 2 * self.rows * gates.form.interval + gates.latency + 64 + 2 * fixed.count
        self.signature = Signature(
            (
                Seen("o.payload", gates.o.payload.shape(), fixed.count),
                Seen("written", written, self.rows * len(self.names)),
            ),
            patience=_SLOW * step,
            rest=_REST,
        )
        self.silence = (
            f"{self.name}: the hardware of the population stopped answering",
            "done must rise once for each step, and ready after it",
        )

    def words(self, given: Mapping[str, np.ndarray], begin: int) -> tuple[np.ndarray, np.ndarray]:
        payloads = packed(self.added(given))
        frames, rows, chunks = payloads.shape
        return payloads.reshape(-1, chunks), rows * (1 + np.arange(frames))

    def added(self, words: Mapping[str, np.ndarray]) -> list[tuple[np.ndarray, int]]:
        """What is added in each step, row by row, as fields: integers (T, rows), and bits."""
        fixed = self.fixed
        count = len(next(iter(words.values())))
        bits = len(self.gates.i.payload.row)
        parts = [(np.broadcast_to(np.arange(self.rows), (count, self.rows)), bits)]
        for name in fixed.lowered.inputs:
            word = fixed.lowered.input_words[name]
            default = nearest(fixed.one.input_defaults[name], word.fraction)
            given = words[name].astype(np.int64) - default
            if given.size and (given.min() < -(1 << 15) or given.max() >= 1 << 15):
                raise ScneuroError(
                    f"{fixed.name}: {name} is further from its default than a word reaches",
                    "take values nearer to it",
                )
            full = np.zeros((count, self.rows * self.lanes), dtype=np.int64)
            full[:, : given.shape[1]] = given
            table = full.reshape(count, self.rows, self.lanes)
            parts += [(table[:, :, lane], 16) for lane in range(self.lanes)]
        return parts

    def tables(self, seen: Sequence[dict[str, np.ndarray]], begin: int, frames: int) -> Tables:
        sent, written = seen
        own = written_states(self.fixed, self.gates, written, frames)
        return {**own, LEAVES: self._left(sent["neuron"], sent["step"] - begin & 0xFFFF, frames)}

    def _left(self, neuron: np.ndarray, step: np.ndarray, frames: int) -> np.ndarray:
        """Which of its step's spikes each neuron's was, 0 if it had none, (T, count + 1).

        The last column counts those that are of no neuron, of no step, or of one that was over.
        """
        here = np.where(step < frames, step, 0)
        known = (step == np.maximum.accumulate(here)) & (neuron < self.fixed.count)
        left = np.zeros((frames, self.fixed.count + 1), dtype=np.int64)
        of, by = step[known], neuron[known]
        left[of, by] = 1 + np.arange(len(of)) - np.searchsorted(of, of)
        np.add.at(left[:, -1], here[~known], 1)
        return left

    def compute(self, given: Mapping[str, np.ndarray], *, progress: bool = False) -> Integers:
        self.fixed.reset()
        history = fixed_history(self.fixed.one, given, progress)
        spikes = history.spikes
        order = np.where(spikes, np.cumsum(spikes, axis=1), 0)
        leaves = np.pad(order, ((0, 0), (0, 1)))
        return Integers({**history.after, "spike": spikes, LEAVES: leaves}, history)


def written_states(
    fixed: FixedPopulation, gates: Population, written: Mapping[str, np.ndarray], steps: int
) -> Tables:
    """What was written of each state, and the spike flags, (T, count)."""
    return {
        name: rows_written(fixed.name, written, name, gates.rows, steps)[:, : fixed.count]
        for name in gates.written.shape().members
    }
