"""The verdict: what is judged, by which limit, and why that limit.

Level 1 and 2 have no tolerance. A free run has, because a spike can fall into one step or the
next, and because some neurons make another spike train of a single bit. So the integers are judged
against float by limits that are stated, widened by what float itself does when its states are
merely rounded to their registers (:mod:`.rounded`), and once more from spike to spike
(:mod:`.between`), where neither drift nor chaos excuses anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...signals.spikes import Alike

if TYPE_CHECKING:
    from .figures import Parity

__all__ = ["Criteria", "Criterion", "apart", "judge", "rounding_matters"]

_FEWEST = 5  # spikes that make a coincidence factor worth judging


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """What level 2 and 3 of parity require.

    Attributes
    ----------
    bound : float
        Largest derived bound of a step's error, in budgets of its state. The budget is the promise
        that the compiler was to keep, so 1. Without one, 32 LSB of the word stand for it.
    count : int, optional
        Largest difference in the number of spikes, beyond that of rounded float. By default 1,
        since the last may fall outside, or 1 % of float's, which is the limit of ``drift``.
    drift : float
        Largest steady gain or loss of the clock of spikes. A tie at the threshold makes each
        interval one step longer or shorter: 1 % is one step in an interval of 100.
    coincidence : float
        Least coincidence factor, without the drift, where rounded float has 1; as much below its
        worst otherwise. 0.8 is four spikes of five, beyond chance; unrelated trains have 0.
    time : float
        Largest mean distance of float's spikes that coincide from the nearest of the integers,
        without the drift, in steps, or a tenth of the mean interval if that is shorter: what is
        further apart than this on average is not the rounding of a time to a step.
    factor : float
        How many times as far as rounded float the integers may be from float in ``drift`` and
        ``time``: their errors have other causes than rounding, too. And how many times ``rms`` a
        chaotic neuron may differ, which parts faster between two spikes as well.
    interval : float
        An interval from a spike to the next agrees if it is within one step of float's from the
        same state, which no rounding can do better, or within this fraction of it.
    intervals : float
        Least fraction of intervals that agree; of five or more, one may miss in any case. A
        trajectory that only just reaches the threshold in one model, and not in the other,
        spikes much later there, and that may happen now and then.
    rms : float
        Largest rms difference of a state between spikes that agree, as a fraction of the range
        that float visits within its register's.
    rms_lsb : float
        The same in LSB of its word, if that is more: a state that hardly moves has a range of
        nothing.
    spread : float
        Largest rms difference of a state over the whole run, in standard deviations of float's
        within the register's range. What is only late differs by no more than 2.
    """

    bound: float = 1.0
    count: int | None = None
    drift: float = 0.01
    coincidence: float = 0.8
    time: float = 5.0
    factor: float = 2.0
    interval: float = 0.01
    intervals: float = 0.9
    rms: float = 0.01
    rms_lsb: float = 2.0
    spread: float = 2.0

    def changed(self) -> dict[str, tuple[Any, Any]]:
        """What differs from the defaults: (default, this), by name."""
        defaults = vars(Criteria())
        return {n: (defaults[n], v) for n, v in vars(self).items() if v != defaults[n]}

    def tolerance(self, spikes: int) -> int:
        """Difference in count from that many spikes of float that is no difference."""
        return max(1, spikes // 100) if self.count is None else self.count


@dataclass(frozen=True)
class Criterion:
    """One thing that was judged, or could not be.

    Attributes
    ----------
    level : {"bit", "step", "trace"}
    what : str
        With its unit.
    figure, limit : float or None
        What was found, and the most (of a coincidence, the least) that passes.
    ok : bool or None
        None if it was not judged; ``note`` says why.
    note : str
    """

    level: str
    what: str
    figure: float | None
    limit: float | None
    ok: bool | None
    note: str = ""


def judge(found: Parity) -> tuple[Criterion, ...]:
    """Everything that is judged of a comparison, in order."""
    return (*_bit(found), *_step(found), *_finite(found), *_free(found), *_between(found))


def rounding_matters(found: Parity) -> bool:
    """Whether float does not keep its spikes by the criteria when its states are rounded."""
    criteria, spikes = found.criteria, found.spikes["float"]
    return any(
        abs(a.count) > criteria.tolerance(spikes)
        or abs(a.drift) > criteria.drift
        or (_coincides(found) and a.coincidence < criteria.coincidence)
        or apart(found, a) > _time(found)
        for a in found.rounded_alike
    )


def _bit(found: Parity) -> list[Criterion]:
    first = None if found.mismatch is None else float(found.mismatch.step)
    return [Criterion("bit", "first step at which the gates differ", first, None, found.bit_exact)]


def _step(found: Parity) -> list[Criterion]:
    rows = []
    for name, (error, bound) in found.step_error.items():
        limit = found.criteria.bound * found.budgets[name]
        rows.append(_most("step", f"step error of {name}, LSB", error, bound))
        rows.append(_most("step", f"bound of {name}, LSB", bound, limit))
    rows.append(_most("step", "decisions beyond their bound", found.decisions[1], 0))
    return rows


def _finite(found: Parity) -> list[Criterion]:
    """Float must stay finite; integers always do."""
    first = found.not_finite
    step = min(first.values(), default=None)
    note = ", ".join(f"{n} from step {t:,}" for n, t in first.items())
    return [
        Criterion("trace", "first step at which float is not finite", step, None, not first, note)
    ]


def _free(found: Parity) -> list[Criterion]:
    criteria, spikes, own = found.criteria, found.spikes, found.alike
    rounded = found.rounded_alike
    pairs = min(spikes.values())
    silent = "silent" if not max(spikes.values()) else "one of the two is silent"

    count = criteria.tolerance(spikes["float"]) + max(abs(a.count) for a in rounded)
    rows = [_most("trace", "difference in spikes", abs(own.count), count)]
    if pairs:
        furthest = float(np.nanmax([0.0, *(apart(found, a) for a in rounded)]))
        time = max(_time(found), criteria.factor * furthest)
        rows.append(_most("trace", "mean spike-time error, steps", apart(found, own), time))
    else:
        rows.append(_unjudged("mean spike-time error, steps", None, silent))
    if pairs >= 3:
        drift = max(criteria.drift, criteria.factor * max(abs(a.drift) for a in rounded))
        rows.append(_most("trace", "drift", abs(own.drift), drift))
    else:
        rows.append(_unjudged("drift", None, "it takes three spikes"))
    what = "coincidence without the drift"
    if not max(spikes.values()):
        rows.append(_unjudged(what, None, silent))
    elif spikes["float"] < _FEWEST:
        rows.append(_unjudged(what, own.coincidence, f"fewer than {_FEWEST} spikes"))
    elif not own.window:
        rows.append(_unjudged(what, None, "spikes follow too closely for a window"))
    else:
        least = min([1.0, *(a.coincidence for a in rounded)]) - (1 - criteria.coincidence)
        if least > 0:
            ok = own.coincidence >= least
            rows.append(Criterion("trace", what, own.coincidence, least, ok))
        else:
            note = "rounded float's spikes coincide with float's hardly more than by chance"
            rows.append(_unjudged(what, own.coincidence, note))
    for name, rms in found.state_rms.items() if max(spikes.values()) else ():
        limit = max(criteria.rms_lsb, criteria.spread * np.std(_within(found, name)))
        rows.append(_most("trace", f"rms of {name}, LSB", rms / found.lsb(name), limit))
    return rows


def _between(found: Parity) -> list[Criterion]:
    criteria, between = found.criteria, found.between
    agree = between.agree(1, criteria.interval)
    missed, count = int(np.sum(~agree)), len(agree)
    silent = not max(found.spikes.values())  # then the run is the only interval
    rows = []
    if count:
        allowed = max(math.floor((1 - criteria.intervals) * count), int(count >= 5))
        rows.append(_most("trace", "intervals that disagree", missed, allowed, f"of {count:,}"))
    else:
        note = "silent" if silent else "the run ends with the first interval"
        rows.append(_unjudged("intervals that disagree", None, note))
    widened = criteria.factor if found.chaotic else 1.0
    apart = found.state_rms if silent else between.rms(agree)
    for name in found.step_error:
        what = f"rms of {name} between spikes, LSB"
        if name not in apart:
            rows.append(_unjudged(what, None, "no interval agrees"))
            continue
        limit = max(criteria.rms_lsb, widened * criteria.rms * np.ptp(_within(found, name)))
        rows.append(_most("trace", what, apart[name] / found.lsb(name), limit))
    return rows


def _within(found: Parity, name: str) -> np.ndarray:
    """Where float was, in LSB, as far as the register reaches: what is beyond widens no limit."""
    r = found.fixed.lowered.registers[name]
    inside = np.clip(found.float_run.states[name], r.to_real(r.least), r.to_real(r.most))
    values: np.ndarray = inside / r.word.lsb
    return values


def _coincides(found: Parity) -> bool:
    """Whether there are enough spikes, and far enough apart, to judge how many coincide."""
    return found.spikes["float"] >= _FEWEST and found.alike.window > 0


def apart(found: Parity, a: Alike) -> float:
    """Mean steps between spikes: those that coincide, where it is judged how many do."""
    return a.near if _coincides(found) and not math.isnan(a.near) else a.mean


def _time(found: Parity) -> float:
    spikes = max(1, found.spikes["float"])
    return max(1.0, min(found.criteria.time, found.steps / spikes / 10))


def _most(level: str, what: str, figure: float, limit: float, note: str = "") -> Criterion:
    """A figure that passes if it is no more than its limit, and both are numbers."""
    ok = bool(math.isfinite(figure) and figure <= limit < math.inf)
    return Criterion(level, what, float(figure), float(limit), ok, note)


def _unjudged(what: str, figure: float | None, note: str) -> Criterion:
    return Criterion("trace", what, figure, None, None, note)
