"""What is recorded of a chip that is watched, and the file that it becomes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...tools.files import write_whole

__all__ = ["Tape"]

_MOST = 50_000_000  # numbers


class Tape:
    """A recording that grows, and is written whole when it ends.

    The file has, of every population, ``POPULATION/spikes/t`` and ``/neuron``; of each state,
    ``POPULATION/STATE`` (T, neurons), whose times are ``states/t``, and whose neurons are
    ``POPULATION/neurons``; ``inputs/NAME`` (changes, *shape) from ``inputs/NAME/t`` on, currents or
    rates of random spikes in Hz; and ``begin``, ``end``, ``dt``. All times are in ms since the chip
    is watched. ``events`` says what was done to it, and ``events/t`` when.

    Parameters
    ----------
    path : path
        Of a .npz file.
    dt : float
        In ms.
    begin : int
        The first step.
    neurons : mapping of str to tuple of int
        Whose states come, by ``POPULATION.STATE``.
    """

    def __init__(
        self, path: Path, dt: float, begin: int, neurons: Mapping[str, tuple[int, ...]]
    ) -> None:
        self.path = path
        self._dt, self._begin, self._end = dt, begin, begin
        self._neurons = dict(neurons)
        self._spikes: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
        self._rows: list[tuple[np.ndarray, Mapping[str, np.ndarray]]] = []
        self._inputs: dict[str, list[tuple[int, np.ndarray]]] = {}
        self._events: list[tuple[int, str]] = []
        self._numbers = 0

    @property
    def is_full(self) -> bool:
        """Whether it is as long as memory should have to bear."""
        return self._numbers > _MOST

    def add_spikes(self, first: int, spikes: Mapping[str, np.ndarray]) -> None:
        """The spikes of steps from ``first`` on: bool of shape (T, N), by population."""
        for name, table in spikes.items():
            when, who = np.nonzero(table)
            self._spikes.setdefault(name, []).append((when + first, who))
            self._numbers += 2 * len(when)
            self._end = max(self._end, first + len(table))

    def add_states(self, when: np.ndarray, states: Mapping[str, np.ndarray]) -> None:
        """States (T, neurons), by ``POPULATION.STATE``, after the steps ``when`` (T,)."""
        if states and len(when):
            self._rows.append((when, dict(states)))
            self._numbers += len(when) + sum(values.size for values in states.values())

    def set(self, now: int, name: str, values: np.ndarray) -> None:
        """What an input is from now on."""
        self._inputs.setdefault(name, []).append((now, np.array(values)))
        self._numbers += values.size

    def note(self, now: int, event: str) -> None:
        """Something that was done to the chip."""
        self._events.append((now, event))

    def arrays(self) -> dict[str, np.ndarray]:
        """What the file has."""
        found = {
            "dt": np.array(self._dt),
            "begin": np.array(self._begin * self._dt),
            "end": np.array(self._end * self._dt),
            "events": np.array([event for _, event in self._events], dtype=np.str_),
            "events/t": self._ms([now for now, _ in self._events]),
            "states/t": self._ms(_joined([when + 1 for when, _ in self._rows])),
        }
        for name, chunks in self._spikes.items():
            found[f"{name}/spikes/t"] = self._ms(_joined([when + 1 for when, _ in chunks]))
            found[f"{name}/spikes/neuron"] = _joined([who for _, who in chunks])
        for name, neurons in self._neurons.items():
            population, state = name.rsplit(".", 1)
            rows = [states[name] for _, states in self._rows if name in states]
            found[f"{population}/{state}"] = _joined(rows, len(neurons))
            found[f"{population}/neurons"] = np.array(neurons)
        for name, changes in self._inputs.items():
            found[f"inputs/{name}"] = np.stack([values for _, values in changes])
            found[f"inputs/{name}/t"] = self._ms([now for now, _ in changes])
        return found

    def write(self) -> None:
        """Write the file, whole or not at all.

        Raises
        ------
        FileTrouble
            If it cannot be written.
        """
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **self.arrays())
        write_whole(self.path, content.getvalue())

    def _ms(self, steps: np.ndarray | list[int]) -> np.ndarray:
        return np.asarray(steps, dtype=float) * self._dt


def _joined(parts: list[np.ndarray], columns: int | None = None) -> np.ndarray:
    if parts:
        return np.concatenate(parts)
    return np.zeros(0 if columns is None else (0, columns))
