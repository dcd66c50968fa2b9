"""The jobs of a search: data that travels to a worker, and what a worker makes of it."""

from __future__ import annotations

import hashlib
import inspect
import pickle
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...boards.build import finished_build, report_of
from ...boards.table import Board
from ...compiler.graph import Expr, ordered
from ...errors import DoesNotFit, FileTrouble, LoweringError, ScneuroError
from ...neuron import Neuron
from ...report import describe, latency_clocks
from ...tools.places import Place, load_file
from ...tools.source import said
from ...tools.toolchain import find_tools
from .fidelity import Sweep, currents_of
from .points import Point

__all__ = ["Job", "Question", "content_of", "perform", "tools_of"]

_PACKAGES = ("scneuro", "scneuro.hdl", "scneuro.boards", "scneuro.sim")
_ONE = threading.Lock()  # a worker does one job at a time, however many threads it has
_LONGEST = 300  # characters of what failed


@dataclass(frozen=True)
class Job:
    """One build, or one comparison of integers with float.

    Attributes
    ----------
    point : Point
    seed : int or None
        Of placement; None is the comparison.
    """

    point: Point
    seed: int | None = None


@dataclass(frozen=True)
class Question:
    """What all jobs of a search have in common, as data.

    Attributes
    ----------
    pickled : bytes
        The neuron and the board.
    file : str
        The user's file that the neuron is in, if it is in one.
    name : str
        The neuron's.
    content : str
        What the neuron computes, and by which code, as a digest.
    board : str
        The board with all it says.
    currents : tuple of float
    steps : int or None
        As :class:`~scneuro.sim.explore.fidelity.Sweep` takes them.
    """

    pickled: bytes
    file: str
    name: str
    content: str
    board: str
    currents: tuple[float, ...]
    steps: int | None = None

    @classmethod
    def of(
        cls,
        neuron: Neuron,
        board: Board,
        currents: Any = None,
        steps: int | None = None,
    ) -> Question:
        """The question for a neuron on a board.

        Raises
        ------
        PicklingError
            If another process could not find the neuron's class.
        TraceError, UpdateError
            If it cannot become hardware at all.
        ValueError, TypeError
            Currents that do not fit.
        """
        place = Place.of(type(neuron))
        return cls(
            pickle.dumps((neuron, board)),
            place.file,
            neuron.name,
            content_of(neuron),
            repr(board),
            tuple(currents_of(neuron, currents).tolist()),
            steps,
        )

    def open(self) -> tuple[Neuron, Board]:
        """The neuron and the board, in this process.

        Raises
        ------
        FileTrouble
            It is not the same neuron here, or another scneuro.
        """
        if self.file:
            load_file(self.file)  # again, if it has changed since this process read it
        neuron, board = pickle.loads(self.pickled)
        if content_of(neuron) != self.content:
            raise FileTrouble(
                f"a worker has another {self.name}, or another scneuro, than the search",
                "give all workers the same files and packages, and start them again",
            )
        return neuron, board

    def key(self, job: Job, tools: Iterable[str]) -> str:
        """All that the job's result depends on, as a digest."""
        parts: list[Any] = [self.content]
        if job.seed is None:
            parts += [job.point.precision, self.currents, self.steps]
        else:
            parts += [job.point, job.seed, self.board, sorted(tools)]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def content_of(neuron: Neuron) -> str:
    """What a neuron computes and declares, and the code that makes hardware of it, as a digest."""
    number: dict[Expr, int] = {}
    parts: list[Any] = [_code(), neuron.name, neuron.dt, tuple(neuron.currents)]
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


@cache
def _code() -> str:
    """This package and Amaranth, as a digest."""
    from importlib import import_module

    digest = hashlib.sha256(f"{version('amaranth')} {version('amaranth-boards')}".encode())
    for package in _PACKAGES:
        (folder,) = import_module(package).__path__
        for file in sorted(Path(folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def tools_of(question: Question) -> dict[str, Any]:
    """The versions of a worker's tools: ``tools``, or ``trouble`` as of :func:`perform`."""
    try:
        _, board = question.open()
        return {"tools": [f"{t.name} {t.version}" for t in find_tools(board.tools).values()]}
    except ScneuroError as error:
        return {"trouble": [error.message, error.hint]}


def perform(question: Question, job: Job) -> dict[str, Any]:
    """Do a job.

    Returns
    -------
    dict
        Plain data: ``found``; or ``failed``, one line, and ``again``, whether another try may find
        something else; or ``trouble``, a message and a hint, of which the search ends.
    """
    with _ONE:
        try:
            neuron, board = question.open()
            if job.seed is None:
                return {"found": _compared(question, job.point, neuron)}
            return {"found": _built(job.point, job.seed, neuron, board)}
        except FileTrouble as error:
            return {"trouble": [error.message, error.hint]}
        except ScneuroError as error:
            final = isinstance(error, DoesNotFit | LoweringError)
            return {"failed": _line(error.message), "again": not final}
        except Exception as error:
            return {"failed": _line(said(error)), "again": True}


def _line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _built(point: Point, seed: int, neuron: Neuron, board: Board) -> dict[str, Any]:
    """The report of a build, its bitstream aside."""
    target = point.target(neuron)
    build = finished_build(
        target, board, seed=seed, guard=point.guard, flat_out=True, progress=False
    )
    report = asdict(report_of(target, board, build, build.folder))
    del report["bitstream"], report["cached"]
    return report


def _compared(question: Question, point: Point, neuron: Neuron) -> dict[str, Any]:
    """Fidelity, and what was chosen for the integers."""
    one = point.one(neuron)
    fixed = one.fixed(guard=point.guard)
    made = describe(one, fixed, latency_clocks(fixed))
    found = Sweep(one, question.currents, question.steps).against(fixed)
    return {
        "fidelity": found.figures(),
        "states": made["states"],
        "tables": made["tables"],
        "notes": made["notes"],
    }
