"""Parity in three levels: gates = integers, integers ~ float in one step, and over a whole run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..datapath import ARRAYS
from ..fixed import FixedNeuron
from ..graph import Graph
from ..hdl import build
from ..model import Recording
from ..neuron import Neuron
from ..spikes import coincidence, time_errors
from ..stimulus import as_words
from ..words import Q8_8, quantize
from .engine import simulate_steps

__all__ = ["Mismatch", "Parity", "parity"]

_COINCIDENCE_MS = 2.0  # the window of Jolivet et al. (2008)


@dataclass(frozen=True)
class Mismatch:
    """The first step at which the gates and the integer model differ.

    Attributes
    ----------
    step : int
    inputs, before : dict of str to int
        The words given, and the registers the step started from.
    model, hardware : dict of str to int
        Registers after it, and ``spike``.
    word : (int, int)
        The first state's word by the model, and as it left the gates.
    """

    step: int
    inputs: dict[str, int]
    before: dict[str, int]
    model: dict[str, int]
    hardware: dict[str, int]
    word: tuple[int, int]


@dataclass
class Parity:
    """The figures of a comparison.

    Attributes
    ----------
    neuron : str
    steps : int
    bit_exact : bool
        Level 1: every register and the spike flag agree at every step.
    mismatch : Mismatch or None
    step_error : dict of str to (float, float)
        Level 2: per state, the largest error of one step from the same state, and its bound, in
        LSB of its word.
    decisions : tuple of (int, int)
        Comparisons that float would have decided otherwise, and how many of these were not as
        close to a tie as the bound allows.
    float_run, fixed_run : Recording
        Level 3: both, run freely on the same words.
    formats : dict of str to str
    vcd : Path or None
        Waveform of the failing run, if there was one and it was asked for.
    tolerance : int
        Difference in spike count that passes level 3.
    """

    neuron: str
    steps: int
    bit_exact: bool
    mismatch: Mismatch | None
    step_error: dict[str, tuple[float, float]]
    decisions: tuple[int, int]
    float_run: Recording
    fixed_run: Recording
    formats: dict[str, str]
    fixed: FixedNeuron = field(repr=False)
    vcd: Path | None = None
    tolerance: int = 1

    @property
    def spikes(self) -> dict[str, int]:
        return {"float": int(self.float_run.spikes), "fixed": int(self.fixed_run.spikes)}

    @property
    def spike_time_errors(self) -> np.ndarray:
        """Steps between corresponding spikes of float and Q8.8."""
        return time_errors(self.float_run.spike_steps, self.fixed_run.spike_steps)

    @property
    def coincidence(self) -> float:
        """Coincidence factor of Q8.8 with float, window 2 ms."""
        return coincidence(
            self.float_run.spike_steps,
            self.fixed_run.spike_steps,
            steps=self.steps,
            window=max(1, round(_COINCIDENCE_MS / self.float_run.dt)),
        )

    @property
    def rms(self) -> float:
        """Root mean square difference of the first state between the two runs, in its unit."""
        name = next(iter(self.float_run.states))
        return float(
            np.sqrt(np.mean((self.float_run.states[name] - self.fixed_run.states[name]) ** 2))
        )

    @property
    def within_bound(self) -> bool:
        """Level 2: no error above its bound, no decision further from a tie than its bound."""
        return self.decisions[1] == 0 and all(e <= b for e, b in self.step_error.values())

    @property
    def traces_agree(self) -> bool:
        """Level 3: spike counts within the tolerance."""
        return abs(self.spikes["float"] - self.spikes["fixed"]) <= self.tolerance

    @property
    def ok(self) -> bool:
        return self.bit_exact and self.within_bound and self.traces_agree

    def figures(self) -> dict[str, Any]:
        """Everything as plain numbers, for JSON."""
        errors = self.spike_time_errors
        return {
            "neuron": self.neuron,
            "steps": self.steps,
            "ok": self.ok,
            "bit_exact": self.bit_exact,
            "first_mismatch": self.mismatch.step if self.mismatch else None,
            "step_error_lsb": {
                "max": max(e for e, _ in self.step_error.values()),
                "bound": max(b for _, b in self.step_error.values()),
                "states": {n: {"max": e, "bound": b} for n, (e, b) in self.step_error.items()},
            },
            "decisions": {"near_ties": self.decisions[0], "beyond_bound": self.decisions[1]},
            "spikes": self.spikes,
            "spike_time_error_steps": {
                "max": int(errors.max()) if len(errors) else 0,
                "mean": float(errors.mean()) if len(errors) else 0.0,
            },
            "coincidence": self.coincidence,
            "rms": self.rms,
            "formats": self.formats,
            "vcd": str(self.vcd) if self.vcd else None,
        }

    def __str__(self) -> str:
        f = self.figures()
        steps, time = f["steps"], f["spike_time_error_steps"]
        dt = self.float_run.dt
        lines = [f"{self.neuron}: {steps:,} steps of {dt:g} ms"]
        if self.bit_exact:
            lines.append("  bit    pass  gates = integer model, every register and spike flag")
        else:
            lines.append(
                f"  bit    FAIL  gates differ from the integer model at step "
                f"{f['first_mismatch']:,}"
            )
            lines += [f"    {line}" for line in self._differences()]
            if self.vcd:
                lines.append(f"    waveform: {self.vcd}")
        for name, (error, bound) in self.step_error.items():
            verdict = "pass" if error <= bound else "FAIL"
            lines.append(
                f"  step   {verdict}  {name}: {error:.4f} LSB of {self.formats[name]} at "
                f"most, bound {bound:.4f}"
            )
        if self.decisions[1]:
            lines.append(
                f"  step   FAIL  {self.decisions[1]} comparisons decided against float, "
                "further from a tie than the bound"
            )
        spikes = f["spikes"]
        lines.append(
            f"  trace  {'pass' if self.traces_agree else 'FAIL'}  spikes float {spikes['float']}, "
            f"Q8.8 {spikes['fixed']}; spike time off by {time['max'] * dt:.3g} ms at most, "
            f"{time['mean'] * dt:.3g} ms on average; coincidence {f['coincidence']:.4f}; "
            f"rms {f['rms']:.3g}"
        )
        return "\n".join(lines)

    def _differences(self) -> list[str]:
        """The failing step: every state in float, as a word and in bits."""
        assert self.mismatch is not None
        bad, registers = self.mismatch, self.fixed.lowered.registers
        given = ", ".join(f"{n} = {w * Q8_8.lsb:.6g}" for n, w in bad.inputs.items())
        rows = [f"inputs: {given}"]
        for label, values in (
            ("before", bad.before),
            ("model", bad.model),
            ("gates", bad.hardware),
        ):
            for name, r in registers.items():
                value = values[name]
                word = int(r.to_word(value))
                bits = format(value & ((1 << r.width) - 1), f"0{r.width}b")
                mark = "" if label != "gates" or value == bad.model[name] else "  <- differs"
                rows.append(
                    f"{label:7s}{name} = {float(r.to_real(value)):<14.8g} "
                    f"{r.word} {word:6d}  {bits[:16]} {bits[16:]}{mark}"
                )
            if "spike" in values:
                mark = (
                    ""
                    if label != "gates" or values["spike"] == bad.model["spike"]
                    else ("  <- differs")
                )
                rows.append(f"{label:7s}spike = {int(values['spike'])}{mark}")
        if bad.word[0] != bad.word[1]:
            rows.append(f"gates  output word {bad.word[1]}, not {bad.word[0]}  <- differs")
        return rows


@dataclass(frozen=True)
class _History:
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
    progress : bool

    Raises
    ------
    ValueError, TypeError
        A stimulus of the wrong shape or kind, or that does not fit Q8.8.
    """
    fixed = fixed or neuron.fixed()
    make = make or (lambda: build(neuron, fixed))
    if stimulus is None:
        stimulus = np.full(steps, neuron.currents[0])
    inputs = _words(neuron, fixed, stimulus)
    words = {n: quantize(v, n).astype(int) for n, v in inputs.items()}
    count = len(next(iter(words.values())))

    history = _fixed_history(fixed, words)
    before, after, spikes = history.before, history.after, history.spikes
    first = fixed.lowered.registers[fixed.state_names[0]]
    mismatch = None
    gates = simulate_steps(make(), fixed, words)
    for t, (spike, word, registers) in enumerate(
        tqdm(
            gates,
            desc=f"{neuron.name}: gates",
            total=count,
            unit="step",
            delay=2,
            leave=False,
            disable=None if progress else True,
        )
    ):
        model = {n: int(after[n][t]) for n in after}
        right_word = word == first.to_word(model[first.name])
        if registers != model or bool(spike) != bool(spikes[t]) or not right_word:
            mismatch = Mismatch(
                t,
                {n: int(w[t]) for n, w in words.items()},
                {n: int(before[n][t]) for n in before},
                {**model, "spike": int(spikes[t])},
                {**registers, "spike": spike},
                (int(first.to_word(model[first.name])), word),
            )
            break
    if mismatch is not None and vcd is not None:
        vcd = Path(vcd)
        vcd.parent.mkdir(parents=True, exist_ok=True)
        upto = {n: w[: mismatch.step + 2] for n, w in words.items()}
        for _ in simulate_steps(make(), fixed, upto, vcd):
            pass

    step_error, decisions = _one_step(fixed, words, history)
    float_run = neuron.run(**inputs, progress=progress)
    fixed_run = Recording(
        neuron.dt,
        spikes,
        {n: r.to_word(after[n]) * r.word.lsb for n, r in fixed.lowered.registers.items()},
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


def _fixed_history(fixed: FixedNeuron, words: dict[str, np.ndarray]) -> _History:
    """Run the integer model, keeping every register."""
    fixed.reset()
    count = len(next(iter(words.values())))
    registers = {n: np.empty(count + 1, dtype=np.int64) for n in fixed.state_names}
    noise = {n: np.zeros(count, dtype=np.int64) for n in fixed.lowered.noise}
    spikes = np.empty(count, dtype=bool)
    for name, value in fixed.registers.items():
        registers[name][0] = value
    for t in range(count):
        spikes[t] = fixed._advance({name: values[t] for name, values in words.items()})
        for name, value in fixed.registers.items():
            registers[name][t + 1] = value
        for name, value in fixed.noise.items():
            noise[name][t] = value
    return _History(
        {n: h[:-1] for n, h in registers.items()},
        {n: h[1:] for n, h in registers.items()},
        noise,
        spikes,
    )


def _one_step(
    fixed: FixedNeuron, words: dict[str, np.ndarray], history: _History
) -> tuple[dict[str, tuple[float, float]], tuple[int, int]]:
    """Level 2: float from the same registers, taking the branches the integers took."""
    lowered, count = fixed.lowered, len(history.spikes)
    values = {n: lowered.registers[n].to_real(b) for n, b in history.before.items()}
    values |= {n: np.ldexp(w.astype(float), -Q8_8.fraction) for n, w in words.items()}
    outcome = lowered.path.evaluator(
        {str(k): d.node for k, d in enumerate(lowered.decisions)}, ARRAYS
    )({**history.before, **words, **history.noise})
    taken: dict[Any, np.ndarray] = {}
    near = beyond = 0
    for k, decision in enumerate(lowered.decisions):
        chosen = np.broadcast_to(np.asarray(outcome[str(k)], dtype=bool), count)
        left, right = Graph.evaluate(decision.expr.args, values)
        (natural,) = Graph.evaluate((decision.expr,), values)
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
