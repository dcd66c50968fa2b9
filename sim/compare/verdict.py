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

from ...signals.spikes import Alike, lateness

if TYPE_CHECKING:
    from .figures import Parity

__all__ = ["FEWEST", "Criteria", "Criterion", "apart", "judge", "rounding_matters"]

#: Spikes that make a coincidence factor worth judging.
FEWEST = 5


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
        How many times as far as rounded float the integers may be from float in ``drift``,
        ``time`` and the rms of a run: their errors have other causes than rounding, too. And how
        many times ``rms`` a chaotic neuron may differ, which parts faster between two spikes as
        well.
    interval : float
        An interval from a spike to the next agrees if it is within one step of float's from the
        same state, which no rounding can do better, or within this fraction of it.
    intervals : float
        Least fraction of intervals that agree; of five or more, one may miss in any case. A
        trajectory that only just reaches the threshold in one model, and not in the other,
        spikes much later there, and that may happen now and then.
    rms : float
        Largest rms difference of a state between spikes that agree, as a fraction of the range
        that float visits within its register's. Over the whole run, that much beside what float
        differs from itself where it is as late as the spikes of the integers are.
    deviation : float
        The same in standard deviations of float's, if that is less: a transient may have a range
        that nothing else has.
    rms_lsb : float
        The same in LSB of its word, if that is more: a state that hardly moves has a range of
        nothing.
    spread : float
        Largest rms difference of a state over the whole run in any case, in standard deviations
        of float's within the register's range. What is only late differs by no more than 2.
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
    deviation: float = 0.1
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
    """Whether float does not keep its spikes by the criteria when its states are rounded.

    Or its states, where it is silent.
    """
    criteria, spikes = found.criteria, found.spikes["float"]
    if not spikes and any(_rounded(found, n) > _of_what_moves(found, n) for n in found.step_error):
        return True
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
    elif spikes["float"] < FEWEST:
        rows.append(_unjudged(what, own.coincidence, f"fewer than {FEWEST} spikes"))
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
        limit = _of_a_run(found, name)
        rows.append(_most("trace", f"rms of {name}, LSB", rms / found.lsb(name), limit))
    return rows


def _between(found: Parity) -> list[Criterion]:
    criteria, between = found.criteria, found.between
    agree = between.agree(1, criteria.interval, criteria.factor)
    missed, count = int(np.sum(~agree)), len(agree)
    silent = not max(found.spikes.values())  # then the run is the only interval
    rows = []
    if count:
        allowed = max(math.floor((1 - criteria.intervals) * count), int(count >= 5))
        rows.append(_most("trace", "intervals that disagree", missed, allowed, f"of {count:,}"))
    else:
        note = "silent" if silent else "the run ends with the first interval"
        rows.append(_unjudged("intervals that disagree", None, note))
    apart = found.state_rms if silent else between.rms(agree)
    for name in found.step_error:
        what = f"rms of {name} between spikes, LSB"
        if name not in apart:
            rows.append(_unjudged(what, None, "no interval agrees"))
            continue
        limit = _of_a_run(found, name) if silent else _of_an_interval(found, name)
        rows.append(_most("trace", what, apart[name] / found.lsb(name), limit))
    return rows


def _of_what_moves(found: Parity, name: str, times: float = 1.0) -> float:
    """The rms of a state that is no difference, in LSB, by how far float moves."""
    criteria, values = found.criteria, _within(found, name)
    least = min(criteria.rms * np.ptp(values), criteria.deviation * np.std(values))
    return max(criteria.rms_lsb, times * float(least))


def _of_an_interval(found: Parity, name: str) -> float:
    """The limit of a state's rms between spikes, in LSB."""
    return _of_what_moves(found, name, found.criteria.factor if found.chaotic else 1.0)


def _of_a_run(found: Parity, name: str) -> float:
    """The limit of a state's rms over the whole run, in LSB.

    Spikes that are late by a step, or drift, make large differences of states that are right. So
    float is compared with itself as late as that.
    """
    criteria, values = found.criteria, _within(found, name)
    most = max(criteria.rms_lsb, criteria.spread * float(np.std(values)))
    trains = found.float_run.spike_steps, found.fixed_run.spike_steps
    if any(map(len, trains)) and not all(map(len, trains)):  # the one spike may be a late one
        return most
    late = lateness(*trains, steps=found.steps) if len(trains[0]) else np.zeros(found.steps, int)
    own = max(_of_what_moves(found, name), criteria.factor * _rounded(found, name))
    return min(most, own + float(np.sqrt(np.mean(_when_late(values, late) ** 2))))


def _when_late(values: np.ndarray, late: np.ndarray) -> np.ndarray:
    """How far each value is from the furthest of those up to ``late`` steps before or after it."""
    low = high = values
    apart, span, furthest = np.zeros(len(values)), 0, int(late.max(initial=0))
    while span < furthest:
        low, high = (np.pad(x, span + 1, mode="edge") for x in (low, high))
        low = np.minimum(np.minimum(low[: len(values)], low[-len(values) :]), values)
        high = np.maximum(np.maximum(high[: len(values)], high[-len(values) :]), values)
        within, span = span, 2 * span + 1
        here = (late > within) & (late <= span)
        apart[here] = np.maximum(high - values, values - low)[here]
    return apart


def _rounded(found: Parity, name: str) -> float:
    """How far rounded float is from float at worst, in LSB."""
    worst = float(np.max(found.rounded.rms[name])) / found.lsb(name)
    return worst if math.isfinite(worst) else math.inf


def _within(found: Parity, name: str) -> np.ndarray:
    """Where float was, in LSB, as far as the register reaches: what is beyond widens no limit."""
    r = found.fixed.lowered.registers[name]
    inside = np.clip(found.float_run.states[name], r.to_real(r.least), r.to_real(r.most))
    values: np.ndarray = inside / r.word.lsb
    return values


def _coincides(found: Parity) -> bool:
    """Whether there are enough spikes, and far enough apart, to judge how many coincide."""
    return found.spikes["float"] >= FEWEST and found.alike.window > 0


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
