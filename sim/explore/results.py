"""What a search found: a row for every point, and which of them no other one beats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import median
from typing import Any

from .points import Point, Space

__all__ = ["Exploration", "Row", "front"]


@dataclass(frozen=True)
class Row:
    """What was found of a point.

    Attributes
    ----------
    point : Point
    builds : mapping of int to dict
        By seed: the report of the build, or ``failed``, one line.
    compared : mapping
        ``fidelity`` and what was chosen for the integers, or ``failed``, one line.
    """

    point: Point
    builds: Mapping[int, Mapping[str, Any]]
    compared: Mapping[str, Any]

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
        if "failed" in self.compared:
            lines.setdefault(self.compared["failed"], []).append("fidelity")
        every = len(self.builds) + ("failed" in self.compared)
        said = [
            line if len(whose) >= len(self.builds) or len(whose) == every
            else f"{', '.join(whose)}: {line}"
            for line, whose in lines.items()
        ]  # fmt: skip
        return "; ".join(said) or None


def front(rows: Iterable[Row]) -> list[Row]:
    """The rows that no other beats in area or in updates without losing in the other."""
    found: list[Row] = []
    fastest = -1.0
    for row in sorted((r for r in rows if r.best), key=lambda r: (r.logic, -(r.updates or 0.0))):
        updates = row.updates or 0.0
        ties = updates == fastest and row.logic == found[-1].logic
        if updates > fastest or ties:
            found.append(row)
            fastest = updates
    return found


@dataclass(frozen=True)
class Exploration:
    """A search that is done.

    Attributes
    ----------
    neuron : str
    preset : str or None
    parameters : mapping of str to float
    dt_ms : float
    board, device : str
        Titles.
    cell : str
        What its logic is counted in, LC or LUT.
    space : Space
    input, unit : str
        What the currents of the fidelity are of.
    tools : tuple of str
    version : str
        Of this package.
    rows : tuple of Row
    """

    neuron: str
    preset: str | None
    parameters: Mapping[str, float]
    dt_ms: float
    board: str
    device: str
    cell: str
    space: Space
    input: str
    unit: str
    tools: tuple[str, ...]
    version: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        preset = f" {self.preset}" if self.preset else ""
        return f"{self.neuron}{preset} on {self.board} ({self.device})"

    @cached_property
    def front(self) -> list[Row]:
        """The Pareto front of area and updates a second."""
        return front(self.rows)

    @cached_property
    def _leading(self) -> frozenset[int]:
        return frozenset(map(id, self.front))

    def leads(self, row: Row) -> bool:
        """Whether a row is on the front."""
        return id(row) in self._leading

    @cached_property
    def precisions(self) -> dict[tuple[float | None, int | None], Mapping[str, Any]]:
        """What was compared, by budget and guard bits."""
        return {row.point.precision: row.compared for row in self.rows}

    def real_time(self, row: Row) -> float | None:
        """How many times faster than real time all its neurons can run."""
        if not row.best or row.updates is None:
            return None
        return row.updates / (float(row.best["neurons"]) * 1000 / self.dt_ms)

    def figures(self) -> dict[str, Any]:
        """Everything as plain data, for JSON."""
        numbers = {id(row): k for k, row in enumerate(self.rows, 1)}
        return {
            "neuron": self.neuron,
            "preset": self.preset,
            "parameters": dict(self.parameters),
            "dt_ms": self.dt_ms,
            "board": self.board,
            "device": self.device,
            "cell": self.cell,
            "space": asdict(self.space),
            "tools": list(self.tools),
            "scneuro": self.version,
            "points": [self._point(k, row) for k, row in enumerate(self.rows, 1)],
            "pareto": [numbers[id(row)] for row in self.front],
            "precisions": [
                {"budget": budget, "guard": guard, **found}
                for (budget, guard), found in self.precisions.items()
            ],
        }

    def _point(self, number: int, row: Row) -> dict[str, Any]:
        best, fidelity, point = row.best, row.fidelity, row.point
        cells = best["utilization"] if best else {}
        fmax = row.fmax
        return {
            "number": number,
            "options": {**asdict(point), "seeds": list(row.builds)},
            "cells": {kind: count["used"] for kind, count in cells.items()} or None,
            "fmax_mhz": {"best": fmax[0], "median": fmax[1]} if fmax else None,
            "seed": best["seed"] if best else None,
            "updates_per_second": row.updates,
            "updates_per_second_per_cell": row.updates / row.logic
            if row.updates and row.logic
            else None,
            "times_real_time": self.real_time(row),
            "latency_clocks": best["latency"] if best else None,
            "clocks_a_step": best["clocks_a_step"] if best else None,
            "memory_bits": best["memory_bits"] if best else None,
            "fidelity": fidelity
            and {
                name: fidelity[name]
                for name in ("equal_share", "coincidence", "worst_first_spike_ms")
            },
            "on_the_front": self.leads(row),
            "failed": row.failed,
            "builds": [{"asked_seed": seed, **build} for seed, build in row.builds.items()],
        }
