"""A whole run, compiled: a stretch of steps at a time, so that Ctrl-C and a bar have their turn."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np

from ..stochastic import NoiseSource
from ..tools.progress import progress as bar
from .choice import MANY
from .emit import Body
from .kernel import compiled
from .traces import Traces, collapsed

__all__ = ["run_whole"]

_AT_ONCE = 2e8  # operations of a stretch: some tenths of a second
_SHARE = 512  # neurons that are worth a thread, at least


def run_whole(
    body: Body,
    states: np.ndarray,
    sources: Sequence[NoiseSource],
    inputs: Mapping[str, np.ndarray],
    traces: Traces,
    recorded: Sequence[str],
    *,
    steps: int,
    name: str,
    progress: bool,
    done: Callable[[np.ndarray, int], None] = lambda states, steps: None,
    many: bool | None = None,
) -> dict[str, int]:
    """Run a body from given states.

    Parameters
    ----------
    body : Body
    states : ndarray, shape (states, N)
        Is not changed.
    sources : sequence of NoiseSource
        In the order of the body's draws; ``done`` moves them on.
    inputs : mapping of str to ndarray, shape (steps,) or (steps, N)
        An axis with a stride of 0 is not spread out.
    traces : Traces
        ``spike``, and those that are ``recorded``.
    recorded : sequence of str
        Names of the body's traces.
    steps : int
    name : str
        For the bar.
    progress : bool
    done : callable
        Is given the states after each stretch, and how many steps that was.
    many : bool, optional
        Which of the two functions to use; by default the one that suits the number of neurons.

    Returns
    -------
    dict of str to int
        By name, how often the body's conditions held.
    """
    neurons = states.shape[1]
    function = compiled(body, many=neurons >= MANY if many is None else many)
    states = np.array(states, dtype=body.dtype, order="C")
    counts = np.zeros((len(body.counted), neurons), dtype=np.int64)
    seeds = np.array([s.starts(neurons) for s in sources], dtype=np.int64).reshape(-1, neurons)
    leaps = np.array([s.leap(neurons) for s in sources], dtype=np.int64).reshape(-1, 4, 256)
    given = [_Input(inputs[n], neurons, body.taken) for n in body.inputs]
    unwanted = {dtype: np.zeros(neurons, dtype) for _, dtype, _ in body.traces}
    stretch = int(min(max(1, _AT_ONCE // (body.size * neurons)), max(1, steps)))
    with ExitStack() as stack:
        parts = _parts(neurons)
        pool = stack.enter_context(ThreadPoolExecutor(len(parts))) if len(parts) > 1 else None
        begins = range(0, steps, stretch)
        for begin in bar(begins, name, unit="step", wanted=progress, scale=stretch):
            end = min(begin + stretch, steps)
            filled = traces.stretch(begin, end)
            arguments = [argument for one in given for argument in one.of(begin, end)]
            arguments += [filled["spike"].ravel(), neurons]
            for trace, dtype, _ in body.traces:
                wanted = trace in recorded
                arguments += [filled[trace].ravel() if wanted else unwanted[dtype]]
                arguments += [neurons if wanted else 0]
            tables = end - begin, states, counts, seeds, leaps
            if pool is None:
                function(0, neurons, *tables, *arguments)
            else:
                calls = [pool.submit(function, *part, *tables, *arguments) for part in parts]
                for call in calls:
                    call.result()
            traces.keep(filled)
            done(states, end - begin)
    return {n: int(counts[k].sum()) for k, (n, _) in enumerate(body.counted)}


def _parts(neurons: int) -> list[tuple[int, int]]:
    """The neurons that each thread runs: whole shares, on as many cores as this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = max(1, min(cores or 1, neurons // _SHARE))
    size = -(-neurons // count // 128) * 128 if count > 1 else neurons
    return [(first, min(first + size, neurons)) for first in range(0, neurons, size)]


class _Input:
    """An input as the function takes it: flat, and how much of it a step takes."""

    def __init__(self, values: np.ndarray, neurons: int, dtype: str) -> None:
        values = collapsed(values if values.ndim == 2 else values[:, None])
        self._neurons, self._held = neurons, len(values) == 1
        self._values = values.astype(dtype, copy=False)
        if self._held:
            self._row = self._spread(self._values)

    def of(self, begin: int, end: int) -> tuple[np.ndarray, int]:
        if self._held:
            return self._row, 0
        return self._spread(self._values[begin:end]), self._neurons

    def _spread(self, rows: np.ndarray) -> np.ndarray:
        flat: np.ndarray = np.ascontiguousarray(
            np.broadcast_to(rows, (len(rows), self._neurons))
        ).ravel()
        return flat
