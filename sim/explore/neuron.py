"""A neuron as what is explored: what it computes, and how its integers are compared with float."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ...boards.table import Board
from ...compiler.graph import Expr, ordered
from ...neuron import Neuron
from ...population import Population
from ...report import describe, latency_clocks
from ...tools.places import Place
from .fidelity import Sweep, currents_of
from .points import Point
from .results import Exploration, Row

__all__ = ["OfNeuron", "content_of"]


@dataclass(frozen=True)
class OfNeuron:
    """A neuron, and the currents at which it is looked at.

    Attributes
    ----------
    neuron : Neuron
    currents : tuple of float
    steps : int or None
        As :class:`~scneuro.sim.explore.fidelity.Sweep` takes them.
    """

    row: ClassVar[type[Row]] = Row

    neuron: Neuron
    currents: tuple[float, ...]
    steps: int | None

    @classmethod
    def of(cls, neuron: Neuron, currents: Any = None, steps: int | None = None) -> OfNeuron:
        """The same, of any array of currents, or of the usual ones.

        Raises
        ------
        ValueError, TypeError
            Currents that do not fit.
        """
        return cls(neuron, tuple(currents_of(neuron, currents).tolist()), steps)

    @property
    def name(self) -> str:
        return self.neuron.name

    @property
    def files(self) -> tuple[str, ...]:
        """The user's file that it is in, if it is in one."""
        file = Place.of(type(self.neuron)).file
        return (file,) if file else ()

    @property
    def content(self) -> str:
        return content_of(self.neuron)

    @property
    def asked(self) -> str:
        """What a comparison depends on besides."""
        return repr((self.currents, self.steps))

    def target(self, point: Point) -> Neuron | Population:
        """What is built."""
        return point.target(self.neuron)

    def compared(self, point: Point) -> dict[str, Any]:
        """Fidelity, and what was chosen for the integers."""
        one, fixed = point.one(self.neuron), point.fixed(self.neuron)
        made = describe(one, fixed, latency_clocks(fixed))
        found = Sweep(one, self.currents, self.steps).against(fixed)
        return {
            "fidelity": found.figures(),
            "states": made["states"],
            "tables": made["tables"],
            "notes": made["notes"],
        }

    def counted(self, point: Point, board: Board) -> dict[str, Any]:
        """Its clocks are the same whatever it is given."""
        raise NotImplementedError

    def found(self, rows: tuple[Any, ...], common: Mapping[str, Any]) -> Exploration:
        """What a search found."""
        neuron = self.neuron
        first = next(iter(neuron.input_defaults))
        return Exploration(
            neuron=neuron.name,
            preset=neuron.spec.preset,
            parameters=neuron.parameters,
            dt_ms=neuron.dt,
            input=first,
            unit=neuron.units[first],
            rows=rows,
            **common,
        )


def content_of(neuron: Neuron) -> str:
    """What a neuron computes and declares, as a digest."""
    number: dict[Expr, int] = {}
    parts: list[Any] = [neuron.name, neuron.dt, tuple(neuron.currents)]
    spec, program = neuron.spec, neuron.program
    parts += [spec.preset, spec.parameters, spec.seed, spec.budget, program.initial]
    parts += [(s.name, s.unit, s.word, s.range, s.guard, s.budget) for s in program.states.values()]
    parts += [*program.inputs.values(), *program.noises.values()]
    for expr in ordered(program.roots):
        number[expr] = len(number)
        parts.append((expr.op, [number[arg] for arg in expr.args], expr.value))
    parts.append([number[root] for root in program.roots])
    if type(neuron).hardware is not Neuron.hardware:  # written by hand, in this file
        parts.append(Path(inspect.getfile(type(neuron).hardware)).read_bytes())
    return hashlib.sha256(repr(parts).encode()).hexdigest()
