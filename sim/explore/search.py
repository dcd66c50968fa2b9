"""A search: every job once, whatever is in its way, and what came of it on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, overload

from ... import __version__
from ...boards.table import Board
from ...errors import FileTrouble, LoweringError, ScneuroError
from ...network import Network
from ...neuron import Neuron, need_neuron
from ...tools.files import writable_cache, writable_folder, write_whole
from ...tools.progress import progress
from ...tools.toolchain import say
from .cluster import Crew, cores, crew, require
from .jobs import Job, Question, Subject, perform, subject_of, tools_of
from .network import NetworkExploration, NetworkPoint, NetworkSpace
from .points import Point, Space
from .results import Exploration

__all__ = ["Kept", "explore", "jobs_of", "results"]

Hire = Callable[[int], AbstractContextManager[Crew]]


class Kept:
    """Results on disk, by what they depend on; each is written whole or not at all.

    Parameters
    ----------
    folder : path, optional
        By default the user's cache folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or writable_cache("explore")

    def get(self, key: str) -> dict[str, Any] | None:
        """What is kept, if it is there and whole."""
        try:
            found: dict[str, Any] = json.loads(self._file(key).read_text())
            return found
        except (OSError, ValueError):
            return None

    def put(self, key: str, result: Mapping[str, Any]) -> None:
        """Keep a result.

        Raises
        ------
        FileTrouble
            If it cannot be written.
        """
        write_whole(self._file(key), json.dumps(result).encode())

    def _file(self, key: str) -> Path:
        return self._folder / f"explored-{key}.json"


def jobs_of(points: Iterable[Point | NetworkPoint], seeds: Iterable[int]) -> list[Job]:
    """Comparisons first, one for each precision, then clocks, where they are counted, then builds.

    Of the builds, a seed after the other.
    """
    points = tuple(points)
    looked_at = [Job(point) for point in dict.fromkeys(p.alike for p in points)]
    looked_at += [Job(point, counts=True) for point in points if point.counted]
    return looked_at + [Job(point, seed) for seed in dict.fromkeys(seeds) for point in points]


@overload
def explore(
    neuron: Neuron,
    board: Board,
    output: Path | str,
    space: Space | None = None,
    *,
    currents: Any = None,
    steps: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    shown: bool = True,
) -> Exploration: ...


@overload
def explore(
    neuron: Network,
    board: Board,
    output: Path | str,
    space: NetworkSpace | None = None,
    *,
    stimulus: Any = None,
    labels: Any = None,
    steps: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    shown: bool = True,
) -> NetworkExploration: ...


def explore(
    neuron: Neuron | Network,
    board: Board,
    output: Path | str,
    space: Any = None,
    *,
    currents: Any = None,
    stimulus: Any = None,
    labels: Any = None,
    steps: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    shown: bool = True,
) -> Exploration | NetworkExploration:
    """Try every way of making a neuron or a network on a board, and write what came of it.

    Jobs run in other processes; a script calls it under ``if __name__ == "__main__":``.

    Parameters
    ----------
    neuron : Neuron or Network
    board : Board
    output : path
        Folder for ``explore.json``, ``explore.md``, ``pareto.svg`` and ``explore.html``.
    space : Space or NetworkSpace, optional
        What to try; by default a few budgets of a neuron, or lanes of a network, two seeds each.
    currents : array of shape (N,), optional
        Of a neuron, for the comparison with float.
    stimulus : array or mapping of str to array, (T, *shape) or (T, B, *shape), optional
        Of a network, for the same; by default random spikes.
    labels : array of int, shape (B,), optional
        The class of each of B runs: that of the output's neuron that should fire most.
    steps : int, optional
        Of the comparison: :class:`~scneuro.sim.explore.fidelity.Sweep`, or that of a network:
        :class:`~scneuro.sim.explore.network.fidelity.Stimulus`.
    workers : int, optional
        Processes on this machine; by default one for each core.
    scheduler : str, optional
        The address of a dask scheduler, whose workers are taken instead.
    shown : bool
        Show a bar on a terminal.

    Raises
    ------
    ScneuroError
        dask.distributed or matplotlib is missing, a scheduler is not there or is lost, a tool is
        missing, or the neuron is refused at every point.
    FileTrouble
        ``output`` or a cache cannot be written. Finished results are kept.
    ValueError, TypeError
        A point that makes no sense; currents, a stimulus or labels that do not fit.
    """
    from .page import write

    of_networks = isinstance(neuron, Network)
    if not of_networks:
        need_neuron(neuron, "explore()")
    asked: dict[str, Any] = {"stimulus": stimulus, "labels": labels}
    other: dict[str, Any] = {"currents": currents}
    if not of_networks:
        asked, other = other, asked
    for name, value in other.items():
        if value is not None:
            raise TypeError(
                f"explore(): {name} is not of a {'network' if of_networks else 'neuron'}"
            )
    require_all()
    space = space or (NetworkSpace() if of_networks else Space.usual())
    points = space.points(neuron)
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    subject = subject_of(neuron, **asked, steps=steps)
    question = Question.about(subject, board)
    _check_possible(neuron, points)
    output = writable_folder(output)
    jobs = jobs_of(points, space.seeds)

    def hire(wanted: int) -> AbstractContextManager[Crew]:
        return crew(min(workers or cores(), wanted), scheduler)

    found, tools = results(question, jobs, hire, Kept(), here=scheduler is None, shown=shown)
    done = assembled(subject, board, space, points, found, tools)
    write(done, output)
    return done


def require_all() -> None:
    """Fail early, and in one line, where something is missing.

    Raises
    ------
    ScneuroError
    """
    from ...plot import require as require_plots

    require()
    require_plots()


def _check_possible(target: Any, points: Iterable[Any]) -> None:
    """Refuse what is refused at every point."""
    refused: LoweringError | None = None
    for point in dict.fromkeys(p.alike for p in points):
        try:
            point.fixed(target)
            return
        except LoweringError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def results(
    question: Question,
    jobs: list[Job],
    hire: Hire,
    kept: Kept,
    *,
    here: bool = True,
    shown: bool = True,
    do: Callable[..., dict[str, Any]] = perform,
) -> tuple[dict[Job, dict[str, Any]], tuple[str, ...]]:
    """What each job found or why it failed, and the versions of the tools.

    Parameters
    ----------
    question, jobs
    hire : callable
        A context with a crew of so many workers.
    kept : Kept
        What is there is not done again.
    here : bool
        The crew is on this machine: its tools are those of this process, and nobody is hired for
        nothing.
    shown : bool
    do : callable
        :func:`perform`, or what takes its place.

    Raises
    ------
    ScneuroError
        Trouble that would meet every job. What was found until then is kept.
    """
    found: dict[Job, dict[str, Any]] = {}

    def look(tools: tuple[str, ...]) -> dict[Job, tuple[Any, ...]]:
        """The jobs that are left, as calls."""
        for job in jobs:
            known = kept.get(question.key(job, tools))
            if known is not None:
                found[job] = known
        return {job: (question, job) for job in jobs if job not in found}

    tools: tuple[str, ...] = ()
    if here:
        tools = _versions([tools_of(question)])
        left = look(tools)
        if not left:
            return found, tools
    with _told(jobs, found), hire(len(left) if here else len(jobs)) as staff:
        if not here:
            tools = _versions(staff.each(tools_of, question))
            left = look(tools)
        answers = staff.answers(do, left)
        bar = progress(answers, "exploring", unit="job", wanted=shown, total=len(left))
        for job, result in bar:
            if "trouble" in result:
                raise FileTrouble(*result["trouble"])
            if not result.get("again"):
                kept.put(question.key(job, tools), result)
            found[job] = result
    return found, tools


@contextmanager
def _told(jobs: list[Job], found: Mapping[Job, Any]) -> Iterator[None]:
    """Say how far it has come, where it ends early."""
    try:
        yield
    except (KeyboardInterrupt, ScneuroError):
        if found:
            say(
                f"  {len(found)} of {len(jobs)} jobs are done and kept; the same command goes on "
                "from there"
            )
        raise


def _versions(answers: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """All versions of the tools that workers have."""
    versions: dict[str, None] = {}
    for answer in answers:
        if "trouble" in answer:
            raise ScneuroError(*answer["trouble"])
        versions |= dict.fromkeys(answer["tools"])
    return tuple(versions)


def assembled(
    subject: Subject,
    board: Board,
    space: Any,
    points: Iterable[Any],
    found: Mapping[Job, Mapping[str, Any]],
    tools: tuple[str, ...],
) -> Exploration | NetworkExploration:
    """The results of all jobs, a row for each point."""

    def result(job: Job) -> dict[str, Any]:
        outcome = found[job]
        return dict(outcome["found"]) if "found" in outcome else {"failed": outcome["failed"]}

    rows = tuple(
        subject.row(
            point,
            {seed: result(Job(point, seed)) for seed in dict.fromkeys(space.seeds)},
            result(Job(point.alike)),
            result(Job(point, counts=True)) if point.counted else None,
        )
        for point in points
    )
    common: dict[str, Any] = {
        "board": board.title,
        "device": board.device,
        "cell": "LUT" if "flip_flops" in board.part.family.cells else "LC",
        "space": space,
        "tools": tools,
        "version": __version__,
    }
    return subject.found(rows, common)
