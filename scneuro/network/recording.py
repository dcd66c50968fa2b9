"""What a run of a network produced."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .counts import where_of

__all__ = ["NetworkRecording"]


@dataclass
class NetworkRecording:
    """What a run of a network produced.

    Attributes
    ----------
    dt : float
        Time step in ms.
    spike : dict of str to ndarray of bool, shape (T, N) or (T, B, N)
        By population.
    states : dict of str to dict of str to ndarray, shape (T, N) or (T, B, N)
        The states that were recorded, after each step.
    sums : dict of str to dict of str to ndarray
        What each input of these populations was given.
    saturated : dict of str to int
        Of integers: how often a sum was beyond its word, or a state stopped at a limit, by
        ``population.name``, where it was. Also how many spikes were not counted, by
        ``population/counts``, as a count was at its limit.
    counts : dict of str to ndarray of int64, shape (N,) or (B, N)
        How many spikes every neuron fired since the last reset, of the outputs whose spikes are
        counted: 65,535 at most, where a count stays.
    steps : int or None
        How many there were; None for as many as ``spike`` has.
    """

    dt: float
    spike: dict[str, np.ndarray]
    states: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    sums: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    saturated: dict[str, int] = field(default_factory=dict)
    counts: dict[str, np.ndarray] = field(default_factory=dict)
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.steps is None and self.spike:
            self.steps = len(next(iter(self.spike.values())))

    @property
    def spikes(self) -> dict[str, np.ndarray]:
        """How many spikes every neuron fired, (N,) or (B, N), by population."""
        return {name: found.sum(axis=0) for name, found in self.spike.items()}

    @property
    def t(self) -> np.ndarray:
        """Time in ms at the end of each step, shape (T,)."""
        times: np.ndarray = self.dt * (1 + np.arange(self.steps or 0))
        return times

    def arrays(self) -> dict[str, np.ndarray]:
        """All by ``NODE/spike``, ``NODE/STATE`` and ``NODE/counts``, as files have them."""
        found = {f"{name}/spike": spike for name, spike in self.spike.items()}
        for table in (self.states, self.sums):
            for name, values in table.items():
                found |= {f"{name}/{n}": v for n, v in values.items()}
        return found | {where_of(name): counts for name, counts in self.counts.items()}

    def __getitem__(self, name: str) -> np.ndarray:
        """``"out/spike"``, ``"out/V"``, ``"out/I"`` or ``"out/counts"``.

        Raises
        ------
        KeyError
            If it was not recorded.
        """
        arrays = self.arrays()
        if name not in arrays:
            there = ", ".join(arrays) or "none"
            raise KeyError(f"no {name!r} was recorded; there are {there}")
        return arrays[name]

    def __repr__(self) -> str:
        steps = len(self.t)
        found = {**self.counts, **self.spike}
        spikes = ", ".join(f"{n} {int(s.sum())}" for n, s in found.items()) or "none recorded"
        return f"<{steps} steps of {self.dt:g} ms; spikes: {spikes}>"
