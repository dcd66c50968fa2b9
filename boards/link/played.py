"""What a board did in a run, and the recording that is made of it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import numpy as np

from ...network import FixedNetwork, NetworkRecording
from ...network.counts import kept
from ...network.network import Projection
from ...network.run import Runs, run, to_record

__all__ = ["Played"]


class Played(Runs):
    """A network whose neurons do what they did on a board, for :func:`scneuro.network.run.run`.

    What its inputs were given is not read from the board: it is what spikes and numbers add up to.

    Parameters
    ----------
    fixed : FixedNetwork
    record
        As of :meth:`FixedNetwork.run`.
    regions : container of str
        The memories that can be read.

    Attributes
    ----------
    reads : list of str
        Those that are to be read after each step.
    steps : int
        That are complete.
    counts : dict of str to ndarray
        As they were behind the last one.
    """

    def __init__(self, fixed: FixedNetwork, record: Any, regions: Container[str]) -> None:
        self.network, self._fixed = fixed.network, fixed
        network = self.network
        self._wanted = to_record(network, record)
        named = (
            network.layers if record is None else (record,) if isinstance(record, str) else record
        )
        self._sums = {
            name
            for name, wanted in self._wanted.items()
            if any(to in network.layers[name].population.input_defaults for to in wanted)
        }
        sources = {p.source for name in self._sums for p in network.into(name)}
        self._spiking = [
            n for n in network.layers if n in network.sent or n in named or n in sources
        ]
        states = [f"{n}.{state}" for n, wanted in self._wanted.items() for state in wanted]
        spikes = [f"{n}/spikes" for n in self._spiking if n not in network.sent]
        self.reads = [name for name in states + spikes if name in regions]
        self._spike: dict[str, list[np.ndarray]] = {n: [] for n in self._spiking}
        self._registers: dict[str, list[np.ndarray]] = {n: [] for n in states}
        self.steps = 0
        self.counts: dict[str, np.ndarray] = {}

    @property
    def summed(self) -> list[str]:
        """The populations of which what an input is given is recorded."""
        return sorted(self._sums)

    @property
    def into(self) -> list[Projection]:
        """The projections whose weights count for what is recorded."""
        return [p for name in self._sums for p in self.network.into(name)]

    def add(self, spikes: Mapping[str, np.ndarray], registers: Mapping[str, np.ndarray]) -> None:
        """A step that is complete: spikes by population, and registers by ``POPULATION.STATE``."""
        for name, values in spikes.items():
            self._spike[name].append(values)
        for name, values in registers.items():
            self._registers[name].append(values)
        self.steps += 1

    def count(self) -> None:
        """Count the spikes that were recorded since a reset, of the outputs that are counted."""
        for name in self.network.counted:
            if name in self._spike:
                self.counts[name] = kept(self._table(self._spike[name][: self.steps], name, bool))

    def recording(self, fixed: FixedNetwork, given: Mapping[str, np.ndarray]) -> NetworkRecording:
        """What was done, of what inputs were given: (T, *shape) each, of which T may be longer.

        ``fixed`` has the weights that the board had.
        """
        steps = self.steps
        spike = {n: self._table(found[:steps], n, bool) for n, found in self._spike.items()}
        states = {
            name: {n: self.words(name, n) for n in wanted if n in self._registers_of(name)}
            for name, wanted in self._wanted.items()
        }
        sampled = {
            name: {n: fixed.sampled(name, n, words) for n, words in table.items()}
            for name, table in states.items()
        }
        if not self._sums or not steps:
            empty: dict[str, dict[str, np.ndarray]] = {n: {} for n in self._wanted}
            return NetworkRecording(
                self.network.dt, spike, sampled, empty, counts=self.counts, steps=steps
            )
        self._fixed = fixed
        fixed.saturated = {}
        self._left = {name: iter(rows) for name, rows in spike.items()}
        sums = {
            name: [to for to in wanted if to not in self._registers_of(name)]
            for name, wanted in self._wanted.items()
        }
        found = run(
            self.network,
            self,
            {name: values[:steps] for name, values in given.items()},
            record=sums,
            progress=False,
        )
        limited = {name: count for name, count in fixed.saturated.items() if count}
        return NetworkRecording(
            self.network.dt, spike, sampled, found.sums, limited, self.counts, steps
        )

    def _registers_of(self, name: str) -> tuple[str, ...]:
        return self.network.layers[name].population.state_names

    def _count(self, name: str) -> int:
        return self.network.layers[name].count

    def _table(self, rows: list[np.ndarray], name: str, kind: Any) -> np.ndarray:
        if not rows:
            return np.zeros((0, self._count(name)), dtype=kind)
        return np.stack(rows).astype(kind, copy=False)

    def words(self, name: str, state: str) -> np.ndarray:
        """The words of a state after each step; one that no update changes is as it was."""
        population, rows = self._fixed.populations[name], self._registers[f"{name}.{state}"]
        if f"{name}.{state}" not in self.reads:
            rows = [population.initial[state]] * self.steps
        table = self._table(rows[: self.steps], name, np.int64)
        words: np.ndarray = population.lowered.registers[state].to_word(table)
        return words

    # -- as of any fidelity ------------------------------------------------------------------
    def start(self, name: str, batch: int) -> None:
        """It has begun long ago."""

    def given(
        self, name: str, to: str, arrived: list[tuple[Projection, np.ndarray]], step: int
    ) -> np.ndarray:
        if to not in self._wanted[name]:
            return np.zeros((1, self._count(name)))
        return self._fixed.given(name, to, arrived, step)

    def advance(self, name: str, inputs: dict[str, Any]) -> np.ndarray:
        none = np.zeros(self._count(name), dtype=bool)
        return next(self._left.get(name, iter(())), none)

    def sums(self, name: str, to: str, given: np.ndarray) -> np.ndarray:
        return self._fixed.sums(name, to, given)
