"""What a search found: a row for every point, and which of them no other one beats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import median
from typing import Any

from .points import Space

__all__ = ["Exploration", "Explored", "Row", "front"]


@dataclass(frozen=True)
class Row:
    """What was found of a point.

    Attributes
    ----------
    point : Point or NetworkPoint
    builds : mapping of int to dict
        By seed: the report of the build, or ``failed``, one line.
    compared : mapping
        ``fidelity`` and what was chosen for the integers, or ``failed``, one line.
    counted : mapping, optional
        What its gates did over a stimulus, where that was counted, or ``failed``, one line.
    """

    point: Any
    builds: Mapping[int, Mapping[str, Any]]
    compared: Mapping[str, Any]
    counted: Mapping[str, Any] | None = None

    @cached_property
    def best(self) -> Mapping[str, Any] | None:
        """The report with the highest frequency; None if no build was one."""
        reports = [b for b in self.builds.values() if "failed" not in b]
        return max(reports, key=lambda report: float(report["fmax_mhz"]), default=None)

    @property
    def fmax(self) -> tuple[float, float] | None:
        """The best and the median over the seeds, MHz."""
        found = [b["fmax_mhz"] for b in self.builds.values() if "failed" not in b]
        return (max(found), median(found)) if found else None

    @property
    def logic(self) -> int | None:
        """Logic cells, or LUTs, of the best build."""
        return int(self.best["utilization"]["logic"]["used"]) if self.best else None

    @property
    def updates(self) -> float | None:
        """Steps of a neuron a second that the neurons' hardware makes at its best frequency."""
        if not self.best:
            return None
        return float(
            self.best["neurons"] * self.best["fmax_mhz"] * 1e6 / self.best["clocks_a_step"]
        )

    @property
    def fidelity(self) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.compared.get("fidelity")
        return found

    @property
    def failed(self) -> str | None:
        """What failed and why, in one line; of the seeds, if only some did."""
        lines: dict[str, list[str]] = {}
        for seed, build in self.builds.items():
            if "failed" in build:
                lines.setdefault(build["failed"], []).append(f"seed {seed}")
        for what, found in (("fidelity", self.compared), ("clocks", self.counted or {})):
            if "failed" in found:
                lines.setdefault(found["failed"], []).append(what)
        seeds = {f"seed {seed}" for seed in self.builds}
        said = [
            line if seeds <= {*whose} else f"{', '.join(whose)}: {line}"
            for line, whose in lines.items()
        ]
        return "; ".join(said) or None


def _updates(row: Row) -> float | None:
    return row.updates


def front(rows: Iterable[Row], speed: Callable[[Any], float | None] = _updates) -> list[Row]:
    """The rows that no other beats in area or in speed without losing in the other."""
    found: list[Row] = []
    fastest = -1.0
    for row in sorted((r for r in rows if r.best), key=lambda r: (r.logic, -(speed(r) or 0.0))):
        reached = speed(row) or 0.0
        ties = reached == fastest and row.logic == found[-1].logic
        if reached > fastest or ties:
            found.append(row)
            fastest = reached
    return found


@dataclass(frozen=True)
class Explored:
    """A search that is done, of anything.

    Attributes
    ----------
    board, device : str
        Titles.
    cell : str
        What its logic is counted in, LC or LUT.
    space : Space or NetworkSpace
    tools : tuple of str
    version : str
        Of this package.
    rows : tuple of Row
    """

    board: str
    device: str
    cell: str
    space: Any
    tools: tuple[str, ...]
    version: str
    rows: tuple[Any, ...]

    @property
    def what(self) -> str:
        """What was explored, in words."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        return f"{self.what} on {self.board} ({self.device})"

    def speed(self, row: Any) -> float | None:
        """What is looked at besides the area; None if it was not built."""
        raise NotImplementedError

    def real_time(self, row: Any) -> float | None:
        """How many times faster than real time it can run."""
        raise NotImplementedError

    @cached_property
    def front(self) -> list[Any]:
        """The Pareto front of area and speed."""
        return front(self.rows, self.speed)

    @cached_property
    def _leading(self) -> frozenset[int]:
        return frozenset(map(id, self.front))

    def leads(self, row: Any) -> bool:
        """Whether a row is on the front."""
        return id(row) in self._leading

    @cached_property
    def precisions(self) -> dict[tuple[Any, ...], Mapping[str, Any]]:
        """What was compared, by what the integers depend on."""
        return {row.point.precision: row.compared for row in self.rows}

    def head(self) -> dict[str, Any]:
        """What was explored, as plain data."""
        raise NotImplementedError

    def measures(self, row: Any) -> dict[str, Any]:
        """What a point does, as plain data."""
        raise NotImplementedError

    def summary(self, fidelity: Mapping[str, Any]) -> dict[str, Any]:
        """What is said of its fidelity at the point itself."""
        raise NotImplementedError

    def figures(self) -> dict[str, Any]:
        """Everything as plain data, for JSON."""
        numbers = {id(row): k for k, row in enumerate(self.rows, 1)}
        decides = self.rows[0].point.decides if self.rows else ()
        return {
            **self.head(),
            "board": self.board,
            "device": self.device,
            "cell": self.cell,
            "space": asdict(self.space),
            "tools": list(self.tools),
            "scneuro": self.version,
            "points": [self._point(k, row) for k, row in enumerate(self.rows, 1)],
            "pareto": [numbers[id(row)] for row in self.front],
            "precisions": [
                {**dict(zip(decides, precision, strict=True)), **found}
                for precision, found in self.precisions.items()
            ],
        }

    def _point(self, number: int, row: Any) -> dict[str, Any]:
        best, fmax = row.best, row.fmax
        cells = best["utilization"] if best else {}
        return {
            "number": number,
            "options": {**asdict(row.point), "seeds": list(row.builds)},
            "cells": {kind: count["used"] for kind, count in cells.items()} or None,
            "fmax_mhz": {"best": fmax[0], "median": fmax[1]} if fmax else None,
            "seed": best["seed"] if best else None,
            **self.measures(row),
            "fidelity": row.fidelity and self.summary(row.fidelity),
            "on_the_front": self.leads(row),
            "failed": row.failed,
            "builds": [{"asked_seed": seed, **build} for seed, build in row.builds.items()],
        }


@dataclass(frozen=True)
class Exploration(Explored):
    """A search of a neuron that is done.

    Attributes
    ----------
    neuron : str
    preset : str or None
    parameters : mapping of str to float
    dt_ms : float
    space : Space
    input, unit : str
        What the currents of the fidelity are of.
    """

    neuron: str
    preset: str | None
    parameters: Mapping[str, float]
    dt_ms: float
    space: Space
    input: str
    unit: str

    @property
    def what(self) -> str:
        return f"{self.neuron} {self.preset}" if self.preset else self.neuron

    def speed(self, row: Row) -> float | None:
        """Updates a second."""
        return row.updates

    def real_time(self, row: Row) -> float | None:
        """How many times faster than real time all its neurons can run."""
        if not row.best or row.updates is None:
            return None
        return row.updates / (float(row.best["neurons"]) * 1000 / self.dt_ms)

    def head(self) -> dict[str, Any]:
        return {
            "neuron": self.neuron,
            "preset": self.preset,
            "parameters": dict(self.parameters),
            "dt_ms": self.dt_ms,
        }

    def measures(self, row: Row) -> dict[str, Any]:
        best = row.best
        return {
            "updates_per_second": row.updates,
            "updates_per_second_per_cell": row.updates / row.logic
            if row.updates and row.logic
            else None,
            "times_real_time": self.real_time(row),
            "latency_clocks": best["latency"] if best else None,
            "clocks_a_step": best["clocks_a_step"] if best else None,
            "memory_bits": best["memory_bits"] if best else None,
        }

    def summary(self, fidelity: Mapping[str, Any]) -> dict[str, Any]:
        named = ("equal_share", "coincidence", "worst_first_spike_ms")
        return {name: fidelity[name] for name in named}
