"""The jobs of a search: data that travels to a worker, and what a worker makes of it."""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from ...boards.build import finished_build, report_of
from ...boards.table import Board
from ...errors import DoesNotFit, FileTrouble, LoweringError, ScneuroError
from ...network import Network
from ...neuron import Neuron
from ...tools.places import load_file
from ...tools.source import said
from ...tools.toolchain import find_tools
from .network.points import NetworkPoint
from .network.subject import OfNetwork
from .neuron import OfNeuron
from .points import Point

__all__ = ["Job", "Question", "Subject", "perform", "subject_of", "tools_of"]

#: What is explored, and on what it is compared with float.
Subject: TypeAlias = OfNeuron | OfNetwork

_PACKAGES = ("scneuro", "scneuro.hdl", "scneuro.boards", "scneuro.sim")
_ONE = threading.Lock()  # a worker does one job at a time, however many threads it has
_LONGEST = 300  # characters of what failed


def subject_of(target: Neuron | Network, *given: Any, **options: Any) -> Subject:
    """A neuron or a network with what it is compared on: see :meth:`OfNeuron.of` and the other."""
    made: type[Any] = OfNetwork if isinstance(target, Network) else OfNeuron
    subject: Subject = made.of(target, *given, **options)
    return subject


@dataclass(frozen=True)
class Job:
    """One build, one comparison of integers with float, or one run of gates that counts clocks.

    Attributes
    ----------
    point : Point or NetworkPoint
    seed : int or None
        Of placement; None is the comparison, or the run.
    counts : bool
        It is the run.
    """

    point: Point | NetworkPoint
    seed: int | None = None
    counts: bool = False


@dataclass(frozen=True)
class Question:
    """What all jobs of a search have in common, as data.

    Attributes
    ----------
    pickled : bytes
        The subject and the board.
    files : tuple of str
        The user's files that its classes are in.
    name : str
        The neuron's, or the network's.
    content : str
        What it computes, as a digest.
    code : str
        By which code, as a digest.
    board : str
        The board with all it says.
    asked : str
        What comparisons depend on besides.
    """

    pickled: bytes
    files: tuple[str, ...]
    name: str
    content: str
    code: str
    board: str
    asked: str

    @classmethod
    def of(cls, target: Neuron | Network, board: Board, *given: Any, **options: Any) -> Question:
        """The question for a neuron or a network on a board.

        Parameters
        ----------
        target : Neuron or Network
        board : Board
        *given, **options
            As :func:`subject_of` takes them.

        Raises
        ------
        PicklingError
            If another process could not find the class of a neuron or of a map.
        TraceError, UpdateError
            If it cannot become hardware at all.
        ValueError, TypeError
            Currents or a stimulus that do not fit.
        """
        return cls.about(subject_of(target, *given, **options), board)

    @classmethod
    def about(cls, subject: Subject, board: Board) -> Question:
        """The same of a subject."""
        return cls(
            pickle.dumps((subject, board)),
            subject.files,
            subject.name,
            subject.content,
            _code(),
            repr(board),
            subject.asked,
        )

    def open(self) -> tuple[Subject, Board]:
        """The subject and the board, in this process.

        Raises
        ------
        FileTrouble
            It is not the same here, or another scneuro.
        """
        for file in self.files:
            load_file(file)  # again, if it has changed since this process read it
        subject, board = pickle.loads(self.pickled)
        if (subject.content, _code()) != (self.content, self.code):
            raise FileTrouble(
                f"a worker has another {self.name}, or another scneuro, than the search",
                "give all workers the same files and packages, and start them again",
            )
        return subject, board

    def key(self, job: Job, tools: Iterable[str]) -> str:
        """All that the job's result depends on, as a digest."""
        parts: list[Any] = [self.code, self.content]
        if job.seed is None:
            parts.append(self.asked)
        if job.counts:
            parts.append("counts")
        if job.counts or job.seed is not None:
            parts += [job.point, job.seed, self.board, sorted(tools)]
        else:
            parts.append(job.point.precision)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


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
            subject, board = question.open()
            point: Any = job.point
            if job.counts:
                return {"found": subject.counted(point, board)}
            if job.seed is None:
                return {"found": subject.compared(point)}
            return {"found": _built(subject, point, job.seed, board)}
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


def _built(subject: Subject, point: Any, seed: int, board: Board) -> dict[str, Any]:
    """The report of a build, its bitstream aside."""
    target = subject.target(point)
    build = finished_build(target, board, seed=seed, flat_out=True, progress=False, **point.options)
    report = asdict(report_of(target, board, build, build.folder))
    del report["bitstream"], report["cached"]
    return report
