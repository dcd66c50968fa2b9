"""A run of the integers with every register before and after each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .engine.choice import is_worth
from .engine.emit import Body, of_datapath
from .engine.traces import Traces
from .engine.whole import run_whole
from .fixed import FixedNeuron
from .tools.progress import progress as bar

__all__ = ["History", "fixed_history"]


@dataclass(frozen=True)
class History:
    """The integer model's registers before and after every step, its draws and its spikes."""

    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    noise: dict[str, np.ndarray]
    spikes: np.ndarray


def fixed_history(
    fixed: FixedNeuron, words: Mapping[str, np.ndarray], progress: bool = False
) -> History:
    """Run the integer model on from where it is, keeping every register.

    Parameters
    ----------
    fixed : FixedNeuron
        Of one neuron, or of N.
    words : dict of str to ndarray of int, shape (T,) or (T, N)
    progress : bool

    Returns
    -------
    History
        Of arrays (T,) or (T, N).
    """
    shape = next(iter(words.values())).shape
    body = of_datapath(fixed.lowered, "registers")
    if is_worth(body, shape[0], shape[1] if shape[1:] else 1):
        return _compiled_history(fixed, body, words, progress)
    registers = {n: np.empty((shape[0] + 1, *shape[1:]), dtype=np.int64) for n in fixed.state_names}
    noise = {n: np.zeros(shape, dtype=np.int64) for n in fixed.lowered.noise}
    spikes = np.empty(shape, dtype=bool)
    for name, value in fixed.registers.items():
        registers[name][0] = value
    for t in bar(range(shape[0]), f"{fixed.name}: integers", unit="step", wanted=progress):
        spikes[t] = fixed._advance({name: values[t] for name, values in words.items()})
        for name, value in fixed.registers.items():
            registers[name][t + 1] = value
        for name, value in fixed.noise.items():
            noise[name][t] = value
    return History(
        {n: h[:-1] for n, h in registers.items()},
        {n: h[1:] for n, h in registers.items()},
        noise,
        spikes,
    )


def _compiled_history(
    fixed: FixedNeuron, body: Body, words: Mapping[str, np.ndarray], progress: bool
) -> History:
    """The same, by the compiled engine."""
    shape = next(iter(words.values())).shape
    fields = {"spike": "bool"} | {name: dtype for name, dtype, _ in body.traces}
    start = fixed.registers
    with Traces(fixed.name, shape, fields) as traces:
        run_whole(
            body,
            fixed._table(),
            fixed._drawing(),
            words,
            traces,
            list(fields)[1:],
            steps=shape[0],
            name=f"{fixed.name}: integers",
            progress=progress,
            done=fixed._set_table,
        )
    after = {n: traces[n] for n in fixed.state_names}
    return History(
        {n: np.concatenate((np.array(start[n])[None], v[:-1])) for n, v in after.items()},
        after,
        {n: traces[n] for n in fixed.lowered.noise},
        traces["spike"],
    )
