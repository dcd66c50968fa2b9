"""From spike to spike: float started from the integers' own state at each of their spikes.

A free run mixes three things: errors; the drift that a tie at the threshold makes of them; and
chaos, which makes another spike train of a single bit. Started anew at every spike, float has no
time to drift or to diverge, so what is left are errors. (Whoever fits parameters calls it multiple
shooting.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...compiler.bounds.registers import Register
from ...neuron import Neuron
from .stretches import stretches

if TYPE_CHECKING:
    from .parity import History

__all__ = ["Between", "between_spikes"]

_PATIENCE = 20  # steps that float is given after the integers' spike, or a tenth of the interval
_AT_ONCE = 2**18  # states of steps times starts that are held at a time
_MOST = 1024  # steps: most starts have met their spike by then


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
    squares : dict of str to ndarray, shape (M,)
        Of each state's difference until the first spike of either, summed per start.
    steps : ndarray of int, shape (M,)
        Over how many steps.
    interval : ndarray of int, shape (M,)
        Which interval a start belongs to; -1 where the run ended first.
    """

    length: np.ndarray
    error: np.ndarray
    squares: dict[str, np.ndarray]
    steps: np.ndarray
    interval: np.ndarray

    def agree(self, steps: int, fraction: float) -> np.ndarray:
        """Which intervals are within ``steps``, or a ``fraction`` of their length, of float's."""
        agree: np.ndarray = np.abs(self.error) <= np.maximum(steps, fraction * self.length)
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
    fired = np.full(len(start), -1)

    with np.errstate(all="ignore"):  # what is not finite is found, and said, by the verdict
        values = [registers[n].to_real(history.before[n]) for n in names]
        opened = [v[opening] for v in (*values, *at_once)]
        spike, *after = neuron.following(*opened)
        values = [np.repeat(v[:1], len(start)) for v in values]
        for n, v, x in zip(names, values, after, strict=True):
            # where it is a tie, and float does not spike, the integers' state is taken
            v[1:] = np.where(spike, x, own[n][opening])
            squares[n][1:] = (v[1:] - own[n][opening]) ** 2
        live, t = np.arange(len(start)), start
        advance = stretches(neuron, int(np.max(stop - start)) + 1, len(start))
        while len(live):
            count = min(int(np.max(stop[live] - t)) + 1, max(8, _AT_ONCE // len(live)), _MOST)
            at = t + np.arange(count)[:, None]
            step = np.minimum(at, last)
            ran, states = advance(np.array(values), {n: g[step] for n, g in given.items()}, None)
            values = list(states[:, -1])
            ran &= at <= stop[live]
            found = ran.any(axis=0)
            fired[live[found]] = (t + np.argmax(ran, axis=0))[found]
            until = np.minimum(end + ~closed, np.where(fired < 0, last + 1, fired))[live]
            steps[live] += np.sum(at < until, axis=0)
            for k, n in enumerate(names):
                apart = np.where(at < until, states[k] - own[n][step], 0.0)
                squares[n][live] += np.sum(apart**2, axis=0)
            going = ~found & (t + count <= stop[live])
            live, t, values = live[going], (t + count)[going], [x[going] for x in values]

    late = closed & (fired < 0) & (stop == end + patience)
    early = ~closed & (fired >= 0) & (fired <= end - patience)
    counted = (closed & (fired >= 0)) | late | early
    interval = np.where(counted, np.cumsum(counted) - 1, -1)
    error = np.where(fired >= 0, end - fired, -patience)[counted]
    return Between((end - start + 1)[counted], error, squares, steps, interval)
