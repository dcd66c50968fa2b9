"""Parity in three levels: gates = integers, integers ~ float in one step, and over a whole run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...compiler.datapath import ARRAYS
from ...compiler.graph import Graph
from ...fixed import FixedNeuron
from ...hdl import build
from ...history import History
from ...neuron import Neuron, need_neuron
from ...runner import Recording, prepared
from ...stochastic import totals
from ...words import quantize
from ..contracts.neuron import NeuronContract
from ..engines.drive import need_engine
from ..engines.neuron import simulate_steps
from .advice import advise, coarse_tables
from .between import between_spikes
from .bits import Bits, compare_bits
from .figures import Mismatch, Parity
from .rounded import run_rounded
from .verdict import Criteria

__all__ = [
    "float_step",
    "mismatch_of",
    "parity",
    "saturated",
    "step_errors",
]


def parity(
    neuron: Neuron,
    stimulus: Any = None,
    *,
    steps: int = 10_000,
    fixed: FixedNeuron | None = None,
    make: Callable[[], Any] | None = None,
    vcd: Path | str | None = None,
    tolerance: int | None = None,
    criteria: Criteria | None = None,
    because: str = "",
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
        Difference in spike count that level 3 allows: ``Criteria(count=tolerance)``, which needs no
        reason.
    criteria : Criteria, optional
        What level 2 and 3 require, if not the defaults.
    because : str
        Why, if they differ from the defaults: it is printed with the verdict.
    engine : {"amaranth", "cxxrtl"}
        What simulates the gates: Amaranth's simulator, or a compiled program, which takes some
        seconds to make and then is hundreds of times faster.
    progress : bool

    Raises
    ------
    ValueError, TypeError
        A stimulus of the wrong shape or kind, or that does not fit Q8.8; criteria that differ
        from the defaults without a reason.
    ToolError
        The compiled engine without a C++ compiler.
    """
    need_neuron(neuron, "parity()")
    need_engine(engine)
    criteria = criteria or Criteria()
    if criteria.changed() and not because.strip():
        changed = ", ".join(criteria.changed())
        raise ValueError(f"criteria: {changed} differs from the default; say why: because='...'")
    if tolerance is not None:
        criteria = replace(criteria, count=tolerance)
        because = because or "a tolerance was asked for"
    fixed = fixed or neuron.fixed()
    make = make or (lambda: build(neuron, fixed))
    if stimulus is None:
        stimulus = np.full(steps, neuron.currents[0])
    inputs: dict[str, Any] = input_values(neuron, stimulus)
    words = {n: quantize(v, n, fixed.lowered.input_words[n]).astype(int) for n, v in inputs.items()}
    count = len(next(iter(words.values())))
    contract = NeuronContract(make(), fixed)
    found = compare_bits(contract, words, engine=engine, to_the_end=False, progress=progress)
    history: History = found.integers.run
    mismatch = mismatch_of(found, words)
    if mismatch is not None and vcd is not None:
        vcd = Path(vcd)
        vcd.parent.mkdir(parents=True, exist_ok=True)
        upto = {n: w[: mismatch.step + 2] for n, w in words.items()}
        for _ in simulate_steps(make(), fixed, upto, vcd):
            pass

    lowered = fixed.lowered
    expected, decisions = float_step(fixed, words, history)
    step_error = step_errors(fixed, history, expected)
    budgets = _budgets(fixed)
    stopped = saturated(fixed, words, expected)
    own, neuron.seed = neuron.seed, fixed.seed  # float draws the same noise
    try:
        with np.errstate(all="ignore"):  # the verdict says where it is not finite
            float_run = neuron.run(**inputs, progress=progress)
    finally:
        neuron.seed = own
    fixed_run = Recording(
        neuron.dt,
        history.spikes,
        {n: r.to_word(history.after[n]) * r.word.lsb for n, r in lowered.registers.items()},
        dict(inputs),
    )
    drawn = totals(neuron.noises, history.noise)
    formats = {n: f"{r.word}+{r.guard}" for n, r in lowered.registers.items()}
    formats |= {n: str(word) for n, word in lowered.input_words.items()}
    most = {n: criteria.bound * b for n, b in budgets.items()}
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
        budgets=budgets,
        rounded=run_rounded(neuron, lowered.registers, float_run, drawn, progress),
        between=between_spikes(neuron, lowered.registers, history, inputs, drawn),
        saturated=stopped,
        advice=advise(
            neuron,
            lowered.registers,
            float_run,
            bounds={n: (b, most[n]) for n, (_, b) in step_error.items() if not b <= most[n]},
            saturated=[n for n in stopped if n in lowered.registers],
        )
        + coarse_tables(neuron, lowered, float_run),
        criteria=criteria,
        because=because,
        vcd=Path(vcd) if mismatch and vcd else None,
    )


def input_values(neuron: Neuron, stimulus: Any) -> dict[str, np.ndarray]:
    """Every input as the values its port carries, all of the same length."""
    names = list(neuron.input_defaults)
    if not isinstance(stimulus, Mapping):
        stimulus = {names[0]: stimulus}
    arrays = prepared(neuron, stimulus, time=True)
    shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    if len(shape) != 1 or not shape[0]:
        raise ValueError(f"{neuron.name}: parity needs a stimulus of shape (T,), not {shape}")
    return {
        n: np.broadcast_to(
            neuron.carried(n, a),
            shape,
        )
        for n, a in arrays.items()
    }


def mismatch_of(found: Bits, words: Mapping[str, np.ndarray]) -> Mismatch | None:
    """The first difference of a neuron, or of one of many, with all registers of that step."""
    if found.first is None:
        return None
    first, integers = found.first, found.integers
    history: History = integers.run
    t = first.step
    k = () if first.neuron is None else min(first.neuron, history.spikes.shape[1] - 1)
    names = [n for n in (*history.after, "spike") if n in first.shown]
    word = first.model, first.hardware
    if "word" in first.shown:
        word = int(integers.tables["word"][t]), int(first.shown["word"])
    return Mismatch(
        t,
        {n: int(values[t][k]) for n, values in words.items()},
        {n: int(values[t][k]) for n, values in history.before.items()},
        {n: int(integers.tables[n][t][k]) for n in names},
        {n: int(first.shown[n][k]) for n in names},
        word,
    )


def _one_step(
    fixed: FixedNeuron, words: dict[str, np.ndarray], history: History
) -> tuple[dict[str, tuple[float, float]], tuple[int, int]]:
    """Level 2: each state's largest error and its bound in LSB; decisions unlike float's."""
    expected, decisions = float_step(fixed, words, history)
    return step_errors(fixed, history, expected), decisions


def float_step(
    fixed: FixedNeuron, words: dict[str, np.ndarray], history: History
) -> tuple[dict[str, np.ndarray], tuple[int, int]]:
    """Float from the same registers, taking the branches the integers took: its next states.

    And how many decisions it would have taken otherwise, and how many of these were no near ties.
    """
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
    after = Graph.evaluate(lowered.roots, values, taken)[1:]
    expected = {
        n: np.broadcast_to(np.asarray(x, dtype=float), count)
        for n, x in zip(lowered.registers, after, strict=True)
    }
    return expected, (near, beyond)


def step_errors(
    fixed: FixedNeuron, history: History, expected: Mapping[str, np.ndarray]
) -> dict[str, tuple[float, float]]:
    """Each state's largest error of a step and its bound, in LSB of its word."""
    errors = {}
    for n, r in fixed.lowered.registers.items():
        limited = np.clip(expected[n], r.to_real(r.least), r.to_real(r.most))
        error = np.max(np.abs(r.to_real(history.after[n]) - limited))
        errors[n] = (float(error) / r.word.lsb, fixed.lowered.bounds[n] / r.word.lsb)
    return errors


def _budgets(fixed: FixedNeuron) -> dict[str, float]:
    """What the bound of each state may be, in LSB of its word."""
    lowered = fixed.lowered
    return {n: lowered.budgets[n] / r.word.lsb for n, r in lowered.registers.items()}


def saturated(
    fixed: FixedNeuron, words: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]
) -> dict[str, int]:
    """Steps at which a state was stopped by its limits, and an input reached its own."""
    steps = {}
    for n, r in fixed.lowered.registers.items():
        slack = r.to_real(0.5)  # rounds to the limit
        beyond = (expected[n] > r.to_real(r.most) + slack) | (
            expected[n] < r.to_real(r.least) - slack
        )
        steps[n] = int(beyond.sum())
    for n, (low, high) in fixed.lowered.input_limits.items():
        inside = low if low == -(1 << 15) else low - 1, high if high == (1 << 15) - 1 else high + 1
        steps[n] = int(np.sum((words[n] <= inside[0]) | (words[n] >= inside[1])))
    return {n: count for n, count in steps.items() if count}
