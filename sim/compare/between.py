"""From spike to spike: float started from the integers' own state at each of their spikes.

A free run mixes three things: errors; the drift that a tie at the threshold makes of them; and
chaos, which makes another spike train of a single bit. Started anew at every spike, float has no
time to drift or to diverge, so what is left are errors. (Whoever fits parameters calls it multiple
shooting.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...compiler.bounds.registers import Register
from ...neuron import Neuron
from .rounded import RUNS, finest
from .stretches import Stretch, stretches

if TYPE_CHECKING:
    from ...history import History

__all__ = ["Between", "between_spikes"]

_PATIENCE = 20  # steps that float is given after the integers' spike, or a tenth of the interval
_AT_ONCE = 2**18  # states of steps times starts that are held at a time
_MOST = 1024  # steps: most starts have met their spike by then
_SEED = 1  # of the dither


@dataclass(frozen=True)
class Between:
    """How float and the integers compare from one of the integers' spikes to their next.

    Attributes
    ----------
    length : ndarray of int, shape (K,)
        Steps of each interval of the integers: from the start to the first spike, from each spike
        to the next. The one that ends with the run counts only where float has a spike well
        within it.
    error : ndarray of int, shape (K,)
        Steps by which the integers' spike comes after float's; where float has none within 20 steps
        (or a tenth of the interval) after it, minus as many.
    rounding : ndarray of int, shape (K,)
        Steps by which float's own spike moves, at most, when its states are rounded on the way
        from the same state; 0 where the error is no more than a step, and needs no excuse.
    squares : dict of str to ndarray, shape (M,)
        Of each state's difference until the first spike of either, summed per start.
    steps : ndarray of int, shape (M,)
        Over how many steps.
    interval : ndarray of int, shape (M,)
        Which interval a start belongs to; -1 where the run ended first.
    """

    length: np.ndarray
    error: np.ndarray
    rounding: np.ndarray
    squares: dict[str, np.ndarray]
    steps: np.ndarray
    interval: np.ndarray

    def agree(self, steps: int, fraction: float, factor: float) -> np.ndarray:
        """Which intervals are within ``steps``, or a ``fraction`` of their length, of float's.

        Or within ``factor`` times what rounding alone makes of float's.
        """
        most = np.maximum(np.maximum(steps, fraction * self.length), factor * self.rounding)
        agree: np.ndarray = np.abs(self.error) <= most
        return agree

    def rms(self, agree: np.ndarray) -> dict[str, float]:
        """Of each state's difference where the intervals agree, in its unit; none if none does."""
        kept = (self.interval < 0) | np.append(agree, False)[self.interval]
        count = int(self.steps[kept].sum())
        if not count or (len(agree) and not agree.any()):
            return {}
        return {n: float(np.sqrt(s[kept].sum() / count)) for n, s in self.squares.items()}


def between_spikes(
    neuron: Neuron,
    registers: Mapping[str, Register],
    history: History,
    inputs: Mapping[str, np.ndarray],
    totals: Mapping[str, np.ndarray],
) -> Between:
    """Run float from the integers' first state and from each of their spikes, in one batch.

    Each start but the first is the step that spiked, so that its reset is part of it.

    Parameters
    ----------
    neuron : Neuron
    registers : mapping of str to Register
    history : History
    inputs, totals : mapping of str to ndarray, shape (T,)
        Inputs in their units, and the sum of each noise's draws.
    """
    names, last = neuron.state_names, len(history.spikes) - 1
    own = {n: registers[n].to_real(history.after[n]) for n in names}
    given = {**inputs, **{n: totals[n] for n in neuron.noises}}
    at_once = [*inputs.values(), *(x.scaled(totals[n]) for n, x in neuron.noises.items())]
    spikes = np.flatnonzero(history.spikes)
    opening = spikes[spikes < last]
    start = np.append(0, opening + 1)  # the step from which float decides for itself
    end = np.append(spikes, last)[: len(start)]  # the integers' next spike, or the run's last step
    closed = history.spikes[end]
    patience = np.maximum(_PATIENCE, (end - start) // 10)
    stop = np.where(closed, np.minimum(end + patience, last), end)
    squares = {n: np.zeros(len(start)) for n in names}
    steps = np.append(0, np.ones(len(opening), dtype=int))

    def compare(live: np.ndarray, at: np.ndarray, states: np.ndarray, fired: np.ndarray) -> None:
        until = np.minimum(end + ~closed, np.where(fired < 0, last + 1, fired))[live]
        steps[live] += np.sum(at < until, axis=0)
        for k, n in enumerate(names):
            apart = np.where(at < until, states[k] - own[n][np.minimum(at, last)], 0.0)
            squares[n][live] += np.sum(apart**2, axis=0)

    with np.errstate(all="ignore"):  # what is not finite is found, and said, by the verdict
        values = [registers[n].to_real(history.before[n]) for n in names]
        opened = [v[opening] for v in (*values, *at_once)]
        spike, *after = neuron.following(*opened)
        values = [np.repeat(v[:1], len(start)) for v in values]
        for n, v, x in zip(names, values, after, strict=True):
            # where it is a tie, and float does not spike, the integers' state is taken
            v[1:] = np.where(spike, x, own[n][opening])
            squares[n][1:] = (v[1:] - own[n][opening]) ** 2
        advance = stretches(neuron, int(np.max(stop - start)) + 1, len(start))
        fired = _first_spikes(advance, values, given, start, stop, compare)
        rounding = np.zeros(len(start), dtype=int)
        unlike = np.flatnonzero(closed & (fired >= 0) & (np.abs(end - fired) > 1))
        if len(unlike):
            again = np.repeat(unlike, RUNS)
            lsb = finest(names, registers)
            advance = stretches(neuron, int(np.max((stop - start)[unlike])) + 1, len(again), lsb)
            begun = [
                np.floor(v[again] / lsb[n] + 0.5) * lsb[n]
                for n, v in zip(names, values, strict=True)
            ]
            merely = _first_spikes(advance, begun, given, start[again], stop[again], dithered=True)
            moved = np.where(merely < 0, stop[again] + 1, merely) - fired[again]
            rounding[unlike] = np.max(np.abs(moved).reshape(-1, RUNS), axis=1)

    late = closed & (fired < 0) & (stop == end + patience)
    early = ~closed & (fired >= 0) & (fired <= end - patience)
    counted = (closed & (fired >= 0)) | late | early
    interval = np.where(counted, np.cumsum(counted) - 1, -1)
    error = np.where(fired >= 0, end - fired, -patience)[counted]
    length = (end - start + 1)[counted]
    return Between(length, error, rounding[counted], squares, steps, interval)


def _first_spikes(
    advance: Stretch,
    values: list[np.ndarray],
    given: Mapping[str, np.ndarray],
    start: np.ndarray,
    stop: np.ndarray,
    each: Callable[..., None] | None = None,
    dithered: bool = False,
) -> np.ndarray:
    """The step at which each start spikes first, up to ``stop``; -1 if it does not.

    ``each`` is given every stretch: the starts that are left, its steps, its states, and what
    spiked by then. Dithered, every first of :data:`RUNS` starts rounds to nearest.
    """
    last = len(next(iter(given.values()))) - 1
    fired = np.full(len(start), -1)
    live, t = np.arange(len(start)), start
    rng = np.random.default_rng(_SEED)
    while len(live):
        count = min(int(np.max(stop[live] - t)) + 1, max(8, _AT_ONCE // len(live)), _MOST)
        at = t + np.arange(count)[:, None]
        step = np.minimum(at, last)
        dither = rng.random((count, len(values), len(live))) if dithered else None
        if dither is not None:
            dither[:, :, live % RUNS == 0] = 0.5
        there = {n: g[step] for n, g in given.items()}
        ran, states = advance(np.array(values), there, dither)
        ran &= at <= stop[live]
        found = ran.any(axis=0)
        fired[live[found]] = (t + np.argmax(ran, axis=0))[found]
        if each is not None:
            each(live, at, states, fired)
        going = ~found & (t + count <= stop[live])
        live, t, values = live[going], (t + count)[going], [x[going] for x in states[:, -1]]
    return fired
