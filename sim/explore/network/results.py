"""What a search of a network found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..results import Explored, Row
from .points import NetworkSpace

__all__ = ["NetworkExploration", "NetworkRow"]


@dataclass(frozen=True)
class NetworkRow(Row):
    """What was found of a point of a network."""

    @property
    def clocks(self) -> float | None:
        """Of a step of the stimulus, on average."""
        return None if self.counted is None else self.counted.get("clocks_a_step")

    @property
    def worst(self) -> float | None:
        """Steps a second that its hardware makes at its best frequency, whatever fires."""
        return self._a_second(self.best["clocks_a_step"]) if self.best else None

    @property
    def steps(self) -> float | None:
        """Steps a second over the stimulus, at the best frequency."""
        return self._a_second(self.clocks) if self.best and self.clocks else None

    @property
    def operations(self) -> float | None:
        """Synaptic operations a second over the stimulus."""
        if self.counted is None or self.steps is None:
            return None
        return float(self.steps * self.counted["operations_a_step"])

    def _a_second(self, clocks: float) -> float:
        assert self.best is not None
        return float(self.best["fmax_mhz"] * 1e6 / clocks)


@dataclass(frozen=True)
class NetworkExploration(Explored):
    """A search of a network that is done.

    Attributes
    ----------
    network : str
    dt_ms : float
    populations : mapping of str to int
        How many neurons each has.
    weights : int
    steps, runs : int
        Of the stimulus.
    space : NetworkSpace
    """

    network: str
    dt_ms: float
    populations: Mapping[str, int]
    weights: int
    steps: int
    runs: int
    space: NetworkSpace

    @property
    def what(self) -> str:
        return self.network

    @cached_property
    def counted(self) -> bool:
        """Whether the clocks of the stimulus are known of all that was built."""
        return all(row.steps is not None for row in self.rows if row.best)

    def speed(self, row: NetworkRow) -> float | None:
        """Steps a second: over the stimulus, or at the worst where those are not all known."""
        return row.steps if self.counted else row.worst

    def real_time(self, row: NetworkRow) -> float | None:
        """How many times faster than real time it can run, whatever fires."""
        return row.worst and row.worst * self.dt_ms / 1000

    @property
    def float_accuracy(self) -> float | None:
        """Of float, which is the same at every point."""
        found = (r.fidelity["float_accuracy"] for r in self.rows if r.fidelity)
        return next(found, None)

    def head(self) -> dict[str, Any]:
        return {
            "network": self.network,
            "dt_ms": self.dt_ms,
            "populations": dict(self.populations),
            "weights": self.weights,
            "stimulus": {"steps": self.steps, "runs": self.runs},
        }

    def measures(self, row: NetworkRow) -> dict[str, Any]:
        best = row.best
        return {
            "steps_per_second": {"worst": row.worst, "stimulus": row.steps},
            "synaptic_operations_per_second": row.operations,
            "updates_per_second": row.updates,
            "times_real_time": self.real_time(row),
            "clocks_a_step": best["clocks_a_step"] if best else None,
            "clocks_a_step_of_stimulus": row.clocks,
            "memory_bits": best["memory_bits"] if best else None,
        }

    def summary(self, fidelity: Mapping[str, Any]) -> dict[str, Any]:
        named = ("unlike_spike_bits", "unlike_output_counts", "float_accuracy", "accuracy")
        return {name: fidelity[name] for name in named}
