"""What a comparison found: the figures of the three levels, and the report a person reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...fixed import FixedNeuron
from ...runner import Recording
from ...signals.spikes import coincidence, time_errors
from ...words import Q8_8

__all__ = ["Mismatch", "Parity"]

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
