"""How well the integers of a neuron do what its float model does, over many held currents."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...fixed import FixedNeuron
from ...neuron import Neuron
from ...signals.spikes import coincidence

__all__ = ["CURRENTS", "Fidelity", "Sweep", "currents_of"]

CURRENTS = 48
_WINDOW_MS = 2.0  # of Jolivet et al. (2008)
_DURATION = 1000.0  # ms
_MOST_STEPS = 20_000


@dataclass(frozen=True)
class Fidelity:
    """What was found at each current.

    Attributes
    ----------
    currents : tuple of float
        Of the first input, in its unit.
    float_spikes, spikes : tuple of int
        Of float, and of the integers.
    coincidences : tuple of (float or None)
        The factor of Jolivet et al. (2008), window 2 ms; None where float is silent.
    first_spike_ms : tuple of (float or None)
        How far the first spikes are apart; None where either is silent.
    duration_ms : float
        At each current.
    """

    currents: tuple[float, ...]
    float_spikes: tuple[int, ...]
    spikes: tuple[int, ...]
    coincidences: tuple[float | None, ...]
    first_spike_ms: tuple[float | None, ...]
    duration_ms: float

    @property
    def equal(self) -> int:
        """At how many currents the integers have float's number of spikes."""
        return sum(a == b for a, b in zip(self.float_spikes, self.spikes, strict=True))

    @property
    def largest_difference(self) -> int:
        """Of the numbers of spikes."""
        return max(abs(a - b) for a, b in zip(self.float_spikes, self.spikes, strict=True))

    @property
    def coincidence(self) -> float:
        """The mean over the currents at which float fires; 1 if there are none."""
        found = [c for c in self.coincidences if c is not None]
        return min(1.0, float(np.mean(found))) if found else 1.0

    @property
    def worst_first_spike_ms(self) -> float | None:
        """The largest; None if there are none."""
        return max((t for t in self.first_spike_ms if t is not None), default=None)

    def figures(self) -> dict[str, Any]:
        """Everything as plain numbers, for JSON."""
        return {
            "equal_counts": self.equal,
            "of": len(self.currents),
            "equal_share": self.equal / len(self.currents),
            "largest_difference": self.largest_difference,
            "coincidence": self.coincidence,
            "worst_first_spike_ms": self.worst_first_spike_ms,
            **asdict(self),
        }


def currents_of(neuron: Neuron, currents: Any = None) -> np.ndarray:
    """The words of a sweep, shape (N,): those of some currents, or the usual ones.

    Raises
    ------
    ValueError, TypeError
        Currents that do not fit, or are not (N,).
    """
    if currents is None:
        most = max(neuron.currents, key=abs)
        currents = np.linspace(0, np.clip(1.5 * most, -127, 127), CURRENTS)
    if np.ndim(currents) != 1 or not len(currents):
        raise ValueError(f"currents must have shape (N,), not {np.shape(currents)}")
    name = next(iter(neuron.input_defaults))
    return neuron.carried(name, currents)


class Sweep:
    """A neuron's float model, run at many currents at once.

    Parameters
    ----------
    neuron : Neuron
    currents : array of shape (N,), optional
        Of the first input, each rounded to its nearest Q8.8 word; by default 48 from 0 to 1.5
        times the greatest typical one.
    steps : int, optional
        By default those of a second, but no more than 20,000.

    Attributes
    ----------
    words : ndarray, shape (steps, N)
        The currents, held.

    Raises
    ------
    ValueError
        Currents that do not fit, or no steps.
    """

    def __init__(self, neuron: Neuron, currents: Any = None, steps: int | None = None) -> None:
        if steps is None:
            steps = max(1, min(round(_DURATION / neuron.dt), _MOST_STEPS))
        if steps < 1:
            raise ValueError(f"steps must be at least 1, not {steps}")
        values = currents_of(neuron, currents)
        self._input = next(iter(neuron.input_defaults))
        self._dt = neuron.dt
        self.words = np.broadcast_to(values, (steps, len(values)))
        with np.errstate(all="ignore"):
            self.spike = np.asarray(self._run(neuron).spike)

    def _run(self, neuron: Neuron | FixedNeuron) -> Any:
        given: dict[str, Any] = {self._input: self.words}
        return neuron.run(**given, record=(), progress=False)

    def against(self, fixed: FixedNeuron) -> Fidelity:
        """How the integers do at the same currents."""
        steps, count = self.words.shape
        got = np.asarray(self._run(fixed).spike)
        window = max(1, round(_WINDOW_MS / self._dt))
        factors: list[float | None] = []
        first: list[float | None] = []
        for k in range(count):
            ours, theirs = np.flatnonzero(self.spike[:, k]), np.flatnonzero(got[:, k])
            fires = len(ours) > 0
            factors.append(coincidence(ours, theirs, steps=steps, window=window) if fires else None)
            both = fires and len(theirs) > 0
            first.append(abs(int(theirs[0]) - int(ours[0])) * self._dt if both else None)
        return Fidelity(
            tuple(self.words[0].tolist()),
            tuple(self.spike.sum(axis=0).tolist()),
            tuple(got.sum(axis=0).tolist()),
            tuple(factors),
            tuple(first),
            steps * self._dt,
        )
