"""What float itself does when its states are merely rounded: what the integers are judged by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from ...compiler.bounds.registers import Register
from ...neuron import Neuron
from ...population import Population
from ...runner import Recording
from ...signals.spikes import Alike, alike
from .stretches import stretches

__all__ = ["RUNS", "Rounded", "finest", "rounded_spikes", "run_rounded"]

#: Runs of float with its states rounded: one to nearest, the others with a dither of their own.
RUNS = 8
_SEED = 1
_LEAST_GUARD = 8  # bits below the word: registers that are too coarse excuse nothing
_CHUNK = 4096  # steps whose dither and states are held at a time


@dataclass(frozen=True)
class Rounded:
    """Float, run again with its states rounded to their registers' resolution after every step.

    That is the resolution registers have with 8 guard bits, or theirs if they have more: float
    rounded to what is too coarse would go wrong as the integers do, and excuse them.

    Attributes
    ----------
    spikes : tuple of ndarray of int
        The steps at which each run spiked; the first run rounds to nearest, the others after
        adding an error of their own, of less than half an LSB of the register.
    rms : dict of str to tuple of float
        Of each state's difference from float, per run, in the state's unit.
    """

    spikes: tuple[np.ndarray, ...]
    rms: dict[str, tuple[float, ...]]

    def alike(self, reference: np.ndarray, *, steps: int, window: int) -> tuple[Alike, ...]:
        """Each run's spikes against ``reference``."""
        return tuple(alike(reference, s, steps=steps, window=window) for s in self.spikes)


def finest(names: Iterable[str], registers: Mapping[str, Register]) -> dict[str, float]:
    """What each state of rounded float is a multiple of: registers', of 8 guard bits at least."""
    fractions = {
        n: max(registers[n].fraction, registers[n].word.fraction + _LEAST_GUARD) for n in names
    }
    return {n: 2.0**-fraction for n, fraction in fractions.items()}


def run_rounded(
    neuron: Neuron,
    registers: Mapping[str, Register],
    float_run: Recording,
    totals: Mapping[str, np.ndarray],
    progress: bool = True,
) -> Rounded:
    """Run float with rounded states, :data:`RUNS` times in one batch.

    The states are not limited to the registers' ranges: a range that is too small is the
    integers' fault, and not float's.

    Parameters
    ----------
    neuron : Neuron
    registers : mapping of str to Register
    float_run : Recording
        Of float on the same inputs.
    totals : mapping of str to ndarray, shape (T,)
        The sum of each noise's draws, the same for all runs.
    progress : bool
    """
    names, steps = neuron.state_names, len(float_run.spike)
    lsb = finest(names, registers)
    values = np.array([[np.floor(neuron.initial[n] / x + 0.5) * x] * RUNS for n, x in lsb.items()])
    given = dict(float_run.inputs) | {n: totals[n] for n in neuron.noises}
    spike = np.zeros((steps, RUNS), dtype=bool)
    squares = {n: np.zeros(RUNS) for n in names}
    with np.errstate(all="ignore"):  # what is not finite is found, and said, by the verdict
        for part, fired, states in _rounding(neuron, lsb, values, given, steps, 1, progress):
            spike[part] = fired
            for k, n in enumerate(names):
                apart = states[k] - float_run.states[n][part, None]
                squares[n] += np.sum(apart**2, axis=0)
        rms = {n: tuple(float(x) for x in np.sqrt(s / steps)) for n, s in squares.items()}
    return Rounded(tuple(np.flatnonzero(spike[:, k]) for k in range(RUNS)), rms)


def rounded_spikes(
    population: Population,
    registers: Mapping[str, Register],
    float_run: Recording,
    totals: Mapping[str, np.ndarray],
    progress: bool = True,
    runs: int = 3,
) -> list[list[np.ndarray]]:
    """The same for every neuron of a population: by run and neuron, the steps of its spikes."""
    one, count, steps = population.one, population.count, len(float_run.spike)
    names = one.state_names
    lsb = finest(names, registers)
    start = np.array([np.floor(population.start[n] / x + 0.5) * x for n, x in lsb.items()])
    values = np.tile(start, runs)
    given = dict(float_run.inputs) | {n: totals[n] for n in one.noises}
    given = {n: np.tile(np.broadcast_to(v, (steps, count)), runs) for n, v in given.items()}
    spike = np.zeros((steps, runs * count), dtype=bool)
    with np.errstate(all="ignore"):
        for part, fired, _ in _rounding(one, lsb, values, given, steps, count, progress):
            spike[part] = fired
    columns = [np.flatnonzero(spike[:, k]) for k in range(runs * count)]
    return [columns[r * count : (r + 1) * count] for r in range(runs)]


def _rounding(
    neuron: Neuron,
    lsb: Mapping[str, float],
    values: np.ndarray,
    given: Mapping[str, np.ndarray],
    steps: int,
    plain: int,
    progress: bool,
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Float with rounded states, a stretch at a time: which steps, their spikes and states.

    Of the columns of ``values`` (states, N), the first ``plain`` are rounded to nearest, the others
    after an error of their own.
    """
    columns = values.shape[1]
    advance = stretches(neuron, steps, columns, lsb)
    rng = np.random.default_rng(_SEED)
    bar = tqdm(
        total=steps,
        desc=f"{neuron.name}: float, rounded",
        unit="step",
        delay=2,
        leave=False,
        disable=None if progress else True,
    )
    chunk = max(1, _CHUNK // plain)
    with bar:
        for begin in range(0, steps, chunk):
            part = slice(begin, min(begin + chunk, steps))
            dither = rng.random((part.stop - begin, len(lsb), columns))
            dither[:, :, :plain] = 0.5  # to nearest
            spike, states = advance(values, {n: g[part] for n, g in given.items()}, dither)
            values = states[:, -1]
            yield part, spike, states
            bar.update(part.stop - begin)
