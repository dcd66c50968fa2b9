"""The last seconds of a chip: its spikes and some of its states, as much as is worth a look."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["KEPT_MS", "History", "Raster", "Traces", "View"]

#: The longest that there is to look back, in ms.
KEPT_MS = 10_000.0
_SPIKES = 400_000  # that are kept of a population
_ROWS = 200_000  # that are kept of states
_DRAWN = 6_000  # spikes of a picture
_ACROSS = 1_500  # dots of a picture, from left to right
_POINTS = 1_000  # of a curve
_BINS = 60  # of rates


@dataclass(frozen=True)
class Raster:
    """The spikes of a population within a window.

    Attributes
    ----------
    t : ndarray, shape (spikes,)
        In ms.
    neuron : ndarray of int, shape (spikes,)
    every : int
        Those of every so manieth neuron alone, where there are more than can be drawn.
    rate : float
        Of a neuron on average, of all of them, in Hz; NaN where nothing was seen.
    rates : ndarray, shape (bins,)
        The same over time.
    """

    t: np.ndarray
    neuron: np.ndarray
    every: int
    rate: float
    rates: np.ndarray


@dataclass(frozen=True)
class Traces:
    """A state of some neurons within a window.

    Attributes
    ----------
    neurons : tuple of int
    t : list of ndarray
        Of each neuron's curve, in ms.
    values : list of ndarray
        In the unit of the state.
    every : int
        Of so many samples, the least and the greatest alone, where there are too many to draw.
    """

    neurons: tuple[int, ...]
    t: list[np.ndarray]
    values: list[np.ndarray]
    every: int


@dataclass(frozen=True)
class View:
    """What there is to be drawn.

    Attributes
    ----------
    begin, end : float
        Of the window, in ms since the chip is watched.
    rasters : dict of str to Raster
        By population.
    traces : dict of str to Traces
        By ``POPULATION.STATE``.
    bins : ndarray, shape (bins,)
        The middle of each, in ms.
    """

    begin: float
    end: float
    rasters: dict[str, Raster]
    traces: dict[str, Traces]
    bins: np.ndarray


@dataclass(frozen=True)
class _Spikes:
    """Of steps ``first`` to ``stop``, without it."""

    first: int
    stop: int
    when: np.ndarray
    who: np.ndarray


class History:
    """What a chip did in its last steps.

    Parameters
    ----------
    counts : mapping of str to int
        The neurons of each population.
    dt : float
        In ms.
    """

    def __init__(self, counts: Mapping[str, int], dt: float) -> None:
        self._counts, self._dt = dict(counts), dt
        self._steps = round(KEPT_MS / dt)
        self._spikes: dict[str, deque[_Spikes]] = {name: deque() for name in counts}
        self._number = dict.fromkeys(counts, 0)
        self._rows: deque[tuple[np.ndarray, dict[str, np.ndarray]]] = deque()
        self._lines = 0
        self._neurons: dict[str, tuple[int, ...]] = {}
        self.now = 0

    def choose(self, neurons: Mapping[str, tuple[int, ...]]) -> None:
        """Whose states will come, by ``POPULATION.STATE``; those of before are forgotten."""
        self._neurons = dict(neurons)
        self._rows.clear()
        self._lines = 0

    def add_spikes(self, first: int, spikes: Mapping[str, np.ndarray]) -> None:
        """The spikes of steps from ``first`` on: bool of shape (T, N), by population."""
        for name, table in spikes.items():
            when, who = np.nonzero(table)
            made = _Spikes(first, first + len(table), when + first, who)
            self._spikes[name].append(made)
            self._number[name] += len(when)
            self.now = max(self.now, made.stop)
        self._forget()

    def add_states(self, when: np.ndarray, states: Mapping[str, np.ndarray]) -> None:
        """States (T, neurons), by ``POPULATION.STATE``, after the steps ``when`` (T,)."""
        if states and len(when):
            self._rows.append((when, dict(states)))
            self._lines += len(when)
            self._forget()

    def _forget(self) -> None:
        """What is too old, or too much."""
        old = self.now - self._steps
        for name, chunks in self._spikes.items():
            while chunks and (chunks[0].stop <= old or self._number[name] > _SPIKES):
                self._number[name] -= len(chunks.popleft().when)
        while self._rows and (self._rows[0][0][-1] <= old or self._lines > _ROWS):
            self._lines -= len(self._rows.popleft()[0])

    # -- what there is to see --------------------------------------------------------------------
    def view(self, window: float) -> View:
        """The last ``window`` ms."""
        steps = max(1, round(min(window, KEPT_MS) / self._dt))
        begin, end = max(0, self.now - steps), max(self.now, steps)
        edges = np.linspace(begin, end, min(_BINS, end - begin) + 1).round()
        share = _DRAWN // max(1, len(self._counts))
        rasters = {name: self._raster(name, begin, edges, share) for name in self._counts}
        traces = {name: self._traces(name, begin) for name in self._neurons}
        middles = (edges[1:] + edges[:-1]) / 2 * self._dt
        return View(begin * self._dt, end * self._dt, rasters, traces, middles)

    def _raster(self, name: str, begin: int, edges: np.ndarray, most: int) -> Raster:
        chunks = [c for c in self._spikes[name] if c.stop > begin]
        when = np.concatenate([c.when for c in chunks]) if chunks else np.zeros(0, dtype=np.int64)
        who = np.concatenate([c.who for c in chunks]) if chunks else np.zeros(0, dtype=np.int64)
        inside = when >= begin
        when, who = when[inside], who[inside]
        number = np.histogram(when, edges)[0]
        seen = sum(_overlap(c, edges) for c in chunks) if chunks else np.zeros(len(edges) - 1)
        each = self._counts[name] * self._dt / 1000
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = number / (seen * each)
            rate = float(len(when) / (np.sum(seen) * each)) if np.any(seen) else float("nan")
        if len(when) > most:  # those that would lie on each other, once
            dot = (when - begin) * _ACROSS // max(1, self.now - begin)
            _, first = np.unique(dot * self._counts[name] + who, return_index=True)
            when, who = when[first], who[first]
        every = max(1, -(-len(when) // max(1, most)))
        drawn = who % every == 0
        return Raster((when[drawn] + 1) * self._dt, who[drawn], every, rate, rates)

    def _traces(self, name: str, begin: int) -> Traces:
        neurons = self._neurons[name]
        rows = [(when, found[name]) for when, found in self._rows if when[-1] >= begin]
        if not rows:
            nothing = [np.zeros(0)] * len(neurons)
            return Traces(neurons, nothing, nothing, 1)
        when = np.concatenate([w for w, _ in rows])
        table = np.concatenate([values for _, values in rows])[when >= begin]
        t = (when[when >= begin] + 1) * self._dt
        every = max(1, 2 * -(-len(t) // _POINTS)) if len(t) > _POINTS else 1
        curves = [_thinned(t, column, every) for column in table.T]
        return Traces(neurons, [c[0] for c in curves], [c[1] for c in curves], every)


def _overlap(chunk: _Spikes, edges: np.ndarray) -> np.ndarray:
    """How many steps of each bin were seen."""
    found: np.ndarray = np.clip(
        np.minimum(edges[1:], chunk.stop) - np.maximum(edges[:-1], chunk.first), 0, None
    )
    return found


def _thinned(t: np.ndarray, values: np.ndarray, every: int) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest of so many samples, as they come: no spike is lost."""
    if every == 1:
        return t, values
    whole = len(values) // every * every
    blocks = values[:whole].reshape(-1, every)
    rest = np.arange(whole, len(values))
    low, high = blocks.argmin(axis=1), blocks.argmax(axis=1)
    starts = np.arange(0, whole, every)
    places = np.concatenate([np.minimum(low, high) + starts, np.maximum(low, high) + starts, rest])
    places = np.unique(places)
    return t[places], values[places]
