"""Parity in three levels: gates = integers, integers ~ float in one step, and over a whole run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ...compiler.datapath import ARRAYS
from ...compiler.graph import Graph
from ...fixed import FixedNeuron
from ...hdl import build
from ...neuron import Neuron
from ...runner import Recording
from ...signals.stimulus import as_words
from ...stochastic import totals
from ...words import Q8_8, quantize
from ..engines.amaranth import simulate_steps
from ..engines.compiled import compiled_steps
from .figures import Mismatch, Parity

__all__ = ["History", "bit_parity", "parity"]


@dataclass(frozen=True)
class History:
    """The integer model's registers before and after every step, its draws and its spikes."""

    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    noise: dict[str, np.ndarray]
    spikes: np.ndarray


def parity(
    neuron: Neuron,
    stimulus: Any = None,
    *,
    steps: int = 10_000,
    fixed: FixedNeuron | None = None,
    make: Callable[[], Any] | None = None,
    vcd: Path | str | None = None,
    tolerance: int | None = None,
    engine: str = "amaranth",
    progress: bool = True,
) -> Parity:
    """Compare a neuron's float model, integer model and gates.

    Parameters
    ----------
    neuron : Neuron
    stimulus : array of shape (T,), or mapping of input name to such, optional
        The first input, or all; by default the neuron's first typical current, held. Every
        fidelity is given the Q8.8 words nearest to it.
    steps : int
        Length where no stimulus is given.
    fixed : FixedNeuron, optional
        The integer model, if not ``neuron.fixed()``.
    make : callable, optional
        Returns the hardware, if not the neuron's own.
    vcd : path, optional
        Where to write a waveform of the run if level 1 fails, by running again.
    tolerance : int, optional
        Difference in spike count that level 3 allows; by default 1, or 2 % of float's.
    engine : {"amaranth", "cxxrtl"}
        What simulates the gates: Amaranth's simulator, or a compiled program, which takes some
        seconds to make and then is hundreds of times faster.
    progress : bool

    Raises
    ------
    ValueError, TypeError
        A stimulus of the wrong shape or kind, or that does not fit Q8.8.
    ToolError
        The compiled engine without a C++ compiler.
    """
    if engine not in _ENGINES:
        raise ValueError(f"engine must be one of {', '.join(_ENGINES)}, not {engine!r}")
    fixed = fixed or neuron.fixed()
    make = make or (lambda: build(neuron, fixed))
    if stimulus is None:
        stimulus = np.full(steps, neuron.currents[0])
    inputs = _words(neuron, fixed, stimulus)
    words = {n: quantize(v, n).astype(int) for n, v in inputs.items()}
    count = len(next(iter(words.values())))
    history, mismatch = bit_parity(fixed, words, _ENGINES[engine](make(), fixed, words), progress)
    if mismatch is not None and vcd is not None:
        vcd = Path(vcd)
        vcd.parent.mkdir(parents=True, exist_ok=True)
        upto = {n: w[: mismatch.step + 2] for n, w in words.items()}
        for _ in simulate_steps(make(), fixed, upto, vcd):
            pass

    step_error, decisions = _one_step(fixed, words, history)
    own, neuron.seed = neuron.seed, fixed.seed  # float draws the same noise
    try:
        float_run = neuron.run(**inputs, progress=progress)
    finally:
        neuron.seed = own
    fixed_run = Recording(
        neuron.dt,
        history.spikes,
        {n: r.to_word(history.after[n]) * r.word.lsb for n, r in fixed.lowered.registers.items()},
        dict(inputs),
    )
    if tolerance is None:
        tolerance = max(1, int(0.02 * float_run.spikes))
    formats = {n: f"{r.word}+{r.guard}" for n, r in fixed.lowered.registers.items()}
    formats |= dict.fromkeys(fixed.lowered.inputs, str(Q8_8))
    return Parity(
        neuron.name,
        count,
        mismatch is None,
        mismatch,
        step_error,
        decisions,
        float_run,
        fixed_run,
        formats,
        fixed,
        Path(vcd) if mismatch and vcd else None,
        tolerance,
    )


def bit_parity(
    fixed: FixedNeuron,
    words: dict[str, np.ndarray],
    gates: Iterator[tuple[int, int, dict[str, int]]],
    progress: bool = True,
) -> tuple[History, Mismatch | None]:
    """Level 1: the integer model's history, and the first step at which gates differ from it.

    Parameters
    ----------
    fixed : FixedNeuron
        Is reset first.
    words : dict of str to ndarray of int, shape (T,)
    gates : iterable of (spike, first word, registers)
        After every step, as :func:`~scneuro.sim.simulate_steps` yields them.
    progress : bool
    """
    history = _fixed_history(fixed, words, progress)
    before, after, spikes = history.before, history.after, history.spikes
    first = fixed.lowered.registers[fixed.state_names[0]]
    bar = tqdm(
        gates,
        desc=f"{fixed.name}: gates",
        total=len(spikes),
        unit="step",
        delay=2,
        leave=False,
        disable=None if progress else True,
    )
    for t, (spike, word, registers) in enumerate(bar):
        model = {n: int(after[n][t]) for n in after}
        right_word = word == first.to_word(model[first.name])
        if registers != model or bool(spike) != bool(spikes[t]) or not right_word:
            return history, Mismatch(
                t,
                {n: int(w[t]) for n, w in words.items()},
                {n: int(before[n][t]) for n in before},
                {**model, "spike": int(spikes[t])},
                {**registers, "spike": spike},
                (int(first.to_word(model[first.name])), word),
            )
    return history, None


_ENGINES: dict[str, Callable[..., Iterator[tuple[int, int, dict[str, int]]]]] = {
    "amaranth": simulate_steps,
    "cxxrtl": compiled_steps,
}


def _words(neuron: Neuron, fixed: FixedNeuron, stimulus: Any) -> dict[str, np.ndarray]:
    """Every input as the values its port carries, all of the same length."""
    names = list(neuron.input_defaults)
    if not isinstance(stimulus, Mapping):
        stimulus = {names[0]: stimulus}
    arrays = neuron._prepare(stimulus, ndim=1)
    shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    if len(shape) != 1 or not shape[0]:
        raise ValueError(f"{neuron.name}: parity needs a stimulus of shape (T,), not {shape}")
    return {
        n: np.broadcast_to(as_words(a, f"{neuron.name}: {n}", fixed.lowered.inputs[n]), shape)
        for n, a in arrays.items()
    }


def _fixed_history(fixed: FixedNeuron, words: dict[str, np.ndarray], progress: bool) -> History:
    """Run the integer model, keeping every register."""
    fixed.reset()
    count = len(next(iter(words.values())))
    registers = {n: np.empty(count + 1, dtype=np.int64) for n in fixed.state_names}
    noise = {n: np.zeros(count, dtype=np.int64) for n in fixed.lowered.noise}
    spikes = np.empty(count, dtype=bool)
    for name, value in fixed.registers.items():
        registers[name][0] = value
    for t in tqdm(
        range(count),
        desc=f"{fixed.name}: integers",
        unit="step",
        delay=2,
        leave=False,
        disable=None if progress else True,
    ):
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


def _one_step(
    fixed: FixedNeuron, words: dict[str, np.ndarray], history: History
) -> tuple[dict[str, tuple[float, float]], tuple[int, int]]:
    """Level 2: float from the same registers, taking the branches the integers took."""
    lowered, count = fixed.lowered, len(history.spikes)
    values = lowered.real({**history.before, **words})
    values |= totals(lowered.noises, history.noise)
    outcome = lowered.path.evaluator(
        {str(k): d.node for k, d in enumerate(lowered.decisions)}, ARRAYS
    )({**history.before, **words, **history.noise})
    taken: dict[Any, np.ndarray] = {}
    near = beyond = 0
    for k, decision in enumerate(lowered.decisions):
        chosen = np.broadcast_to(np.asarray(outcome[str(k)], dtype=bool), count)
        left, right = Graph.evaluate(decision.expr.args, values, taken)
        (natural,) = Graph.evaluate((decision.expr,), values, taken)
        differs = np.broadcast_to(natural, count) != chosen
        margin = np.broadcast_to(np.abs(left - right), count)[differs]
        near += int(differs.sum())
        beyond += int(np.sum(margin > decision.bound))
        taken[decision.expr] = chosen
    errors = {}
    for r, expected in zip(
        lowered.registers.values(), Graph.evaluate(lowered.roots, values, taken)[1:], strict=True
    ):
        limited = np.clip(expected, r.to_real(r.least), r.to_real(r.most))
        error = np.max(np.abs(r.to_real(history.after[r.name]) - limited))
        errors[r.name] = (float(error) / r.word.lsb, lowered.bounds[r.name] / r.word.lsb)
    return errors, (near, beyond)
