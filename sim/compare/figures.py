"""What a comparison found: the figures of the three levels, and what is judged of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ...fixed import FixedNeuron
from ...runner import Recording
from ...signals.spikes import Alike, alike, coincidence, time_errors
from ...tools.notebook import table, trace
from .between import Between
from .report import report
from .rounded import Rounded
from .verdict import Criteria, Criterion, apart, judge, rounding_matters

__all__ = ["COINCIDENCE_MS", "Mismatch", "Parity", "step_figures", "within"]

#: The window of Jolivet et al. (2008).
COINCIDENCE_MS = 2.0


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
    budgets : dict of str to float
        What each state's bound may be, in LSB.
    rounded : Rounded
        What float does when its states are rounded.
    between : Between
        Float, started anew at every spike of the integers.
    saturated : dict of str to int
        Steps at which a state was stopped by its limits, or an input at the end of its word.
    advice : tuple of str
        What to change about a bound beyond its budget or a state that saturates.
    criteria : Criteria
    because : str
        Why they differ from the defaults.
    vcd : Path or None
        Waveform of the failing run, if there was one and it was asked for.
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
    budgets: dict[str, float]
    rounded: Rounded = field(repr=False)
    between: Between = field(repr=False)
    saturated: dict[str, int]
    advice: tuple[str, ...] = ()
    criteria: Criteria = field(default_factory=Criteria)
    because: str = ""
    vcd: Path | None = None

    # -- the free run ------------------------------------------------------------------------
    @property
    def spikes(self) -> dict[str, int]:
        return {"float": int(self.float_run.spikes), "fixed": int(self.fixed_run.spikes)}

    @property
    def spike_time_errors(self) -> np.ndarray:
        """Steps between corresponding spikes of float and integers."""
        return time_errors(self.float_run.spike_steps, self.fixed_run.spike_steps)

    @property
    def coincidence(self) -> float:
        """Coincidence factor of the integers with float, window 2 ms."""
        return coincidence(
            self.float_run.spike_steps,
            self.fixed_run.spike_steps,
            steps=self.steps,
            window=self._window,
        )

    @cached_property
    def alike(self) -> Alike:
        """The spikes of the integers against float's, with a drift told apart."""
        return alike(
            self.float_run.spike_steps,
            self.fixed_run.spike_steps,
            steps=self.steps,
            window=self._window,
        )

    @cached_property
    def rounded_alike(self) -> tuple[Alike, ...]:
        """The spikes of each run of rounded float against float's."""
        return self.rounded.alike(self.float_run.spike_steps, steps=self.steps, window=self._window)

    @property
    def _window(self) -> int:
        return max(1, round(COINCIDENCE_MS / self.float_run.dt))

    @cached_property
    def state_rms(self) -> dict[str, float]:
        """Root mean square difference of each state between the two runs, in its unit."""
        with np.errstate(all="ignore"):
            return {
                n: float(np.sqrt(np.mean((v - self.fixed_run.states[n]) ** 2)))
                for n, v in self.float_run.states.items()
            }

    @property
    def rms(self) -> float:
        """That of the first state."""
        return next(iter(self.state_rms.values()))

    def lsb(self, name: str) -> float:
        """What the last bit of a state's word stands for."""
        return self.fixed.lowered.registers[name].word.lsb

    def unit(self, name: str) -> str:
        """A state's unit."""
        return self.fixed.lowered.registers[name].unit

    @property
    def not_finite(self) -> dict[str, int]:
        """The first step after which a state of float is NaN or infinite, by its name."""
        found = {n: ~np.isfinite(v) for n, v in self.float_run.states.items()}
        return {n: int(np.argmax(bad)) for n, bad in found.items() if bad.any()}

    # -- the verdict -------------------------------------------------------------------------
    @cached_property
    def verdict(self) -> tuple[Criterion, ...]:
        """All that is judged, and what could not be."""
        return judge(self)

    @property
    def chaotic(self) -> bool:
        """Whether float loses its spikes, by the same criteria, when its states are rounded."""
        return rounding_matters(self)

    @property
    def within_bound(self) -> bool:
        """Level 2: no error above its bound, no bound above its budget, no decision gone astray."""
        return self._passes("step")

    @property
    def traces_agree(self) -> bool:
        """Level 3: everything that is judged of the whole run."""
        return self._passes("trace")

    @property
    def ok(self) -> bool:
        return self.bit_exact and self.within_bound and self.traces_agree

    @property
    def tolerance(self) -> int:
        """Difference in spike count that passes level 3, if rounding makes float's no larger."""
        return self.criteria.tolerance(self.spikes["float"])

    def _passes(self, level: str) -> bool:
        return all(c.ok is not False for c in self.verdict if c.level == level)

    # -- what others read --------------------------------------------------------------------
    def figures(self) -> dict[str, Any]:
        """Everything as plain numbers, for JSON; null is what is not finite, or not judged."""
        errors, rounded = self.spike_time_errors, self.rounded_alike
        agree = self.between.agree(1, self.criteria.interval, self.criteria.factor)
        figures = {
            "neuron": self.neuron,
            "steps": self.steps,
            "ok": self.ok,
            "bit_exact": self.bit_exact,
            "first_mismatch": self.mismatch.step if self.mismatch else None,
            "step_error_lsb": step_figures(self.step_error, self.budgets),
            "decisions": {"near_ties": self.decisions[0], "beyond_bound": self.decisions[1]},
            "spikes": self.spikes,
            "spike_time_error_steps": {
                "max": int(errors.max()) if len(errors) else 0,
                "mean": float(errors.mean()) if len(errors) else 0.0,
            },
            "coincidence": self.coincidence,
            "rms": self.rms,
            "state_rms": self.state_rms,
            "units": {n: self.unit(n) for n in self.state_rms},
            "not_finite": self.not_finite,
            "without_drift": asdict(self.alike),
            "chaotic": self.chaotic,
            "reference": {
                "what": "float, its states rounded to their registers after every step",
                "runs": len(rounded),
                "spikes": [len(s) for s in self.rounded.spikes],
                "least_coincidence": min(a.coincidence for a in rounded),
                "mean_error_steps": max(apart(self, a) for a in rounded),
                "drift": max((a.drift for a in rounded), key=abs),
                "rms": {n: max(r) for n, r in self.rounded.rms.items()},
            },
            "intervals": {
                "judged": len(agree),
                "agree": int(agree.sum()),
                "worst_error_steps": int(np.max(np.abs(self.between.error), initial=0)),
                "rms": self.between.rms(agree),
            },
            "saturated": self.saturated,
            "advice": list(self.advice),
            "criteria": asdict(self.criteria),
            "because": self.because or None,
            "verdict": [asdict(c) for c in self.verdict],
            "formats": self.formats,
            "vcd": str(self.vcd) if self.vcd else None,
        }
        plain: dict[str, Any] = _plain(figures)
        return plain

    def __str__(self) -> str:
        return report(self)

    def __repr__(self) -> str:
        return f"<Parity of {self.neuron}: {self.steps:,} steps, {'ok' if self.ok else 'FAILS'}>"

    def _repr_html_(self) -> str:
        marks = {True: "pass", False: "FAIL", None: "not judged"}
        rows = [
            (c.level, c.what, _shown(c.figure), _shown(c.limit), marks[c.ok]) for c in self.verdict
        ]
        name = next(iter(self.float_run.states))
        shown = table(repr(self)[1:-1], rows, ("level", "", "found", "limit", ""))
        return shown + trace(
            {"float": self.float_run.states[name], "integers": self.fixed_run.states[name]},
            self.steps * self.float_run.dt,
            f"{name} {self.unit(name)}".rstrip(),
        )


def within(
    errors: Mapping[str, tuple[float, float]],
    budgets: Mapping[str, float],
    decisions: tuple[int, int],
) -> bool:
    """Level 2: no error above its bound, no bound above its budget, no decision gone astray."""
    return not decisions[1] and all(
        error <= bound <= budgets[name] for name, (error, bound) in errors.items()
    )


def step_figures(
    errors: Mapping[str, tuple[float, float]], budgets: Mapping[str, float]
) -> dict[str, Any]:
    """Level 2 as plain numbers: the errors and bounds of the states, and the largest of them."""
    return {
        "max": max(e for e, _ in errors.values()),
        "bound": max(b for _, b in errors.values()),
        "states": {n: {"max": e, "bound": b, "budget": budgets[n]} for n, (e, b) in errors.items()},
    }


def _shown(value: float | None) -> Any:
    return "" if value is None else float(value)


def _plain(value: Any) -> Any:
    """``value`` as JSON can say it: what is not finite becomes None."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
