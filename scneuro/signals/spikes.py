"""How alike two spike trains are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import FileTrouble

__all__ = ["Alike", "alike", "coincidence", "lateness", "load", "time_errors"]

_FURTHEST_DRIFT = 0.02  # clocks further apart than this are two clocks, not one that drifts
_FEWEST_TO_FIT = 3


def load(path: str | Path) -> np.ndarray:
    """Spike times in ms from a file: a ``.npy`` array (N,), or text with a number per line.

    Raises
    ------
    FileTrouble
        If it is missing, or holds something else.
    """
    path = Path(path)
    hint = "spike times are a .npy array (N,) or a number per line, in ms: Brian2's monitor.t/ms"
    try:
        if path.suffix == ".npy":
            times = np.load(path, allow_pickle=False)
        else:
            lines = (line.partition("#")[0] for line in path.read_text("utf-8-sig").splitlines())
            times = np.array([float(line.strip().rstrip(",;")) for line in lines if line.strip()])
    except OSError as error:
        raise FileTrouble(f"cannot read {path}: {error.strerror or error}", hint) from None
    except (ValueError, EOFError) as error:
        raise FileTrouble(f"{path} holds no spike times: {error}", hint) from None
    if times.ndim != 1 or times.dtype.kind not in "iuf":
        raise FileTrouble(f"{path} has shape {times.shape} of {times.dtype}, not (N,)", hint)
    result: np.ndarray = times.astype(float)
    return result


def coincidence(reference: np.ndarray, other: np.ndarray, *, steps: int, window: int) -> float:
    """The coincidence factor of Jolivet et al. (2008): 1 if equal, 0 as by chance.

    Parameters
    ----------
    reference, other : ndarray of int
        The steps at which each spiked, ascending.
    steps : int
        Length of the recording.
    window : int
        Spikes within this many steps coincide.

    Returns
    -------
    float
        1 also if both are silent; 0 if one is.
    """
    if not len(reference) and not len(other):
        return 1.0
    if not len(reference) or not len(other):
        return 0.0
    found, left = 0, iter(other.tolist())
    spike = next(left)
    for expected in reference.tolist():  # each spike of the other counts once
        while spike < expected - window:
            spike = next(left, math.inf)
        if spike <= expected + window:
            found, spike = found + 1, next(left, math.inf)
    rate = len(other) / steps
    chance = 2 * rate * window * len(reference)
    norm = 1 - 2 * rate * window
    if norm <= 0:  # so dense that chance explains everything: plain agreement is left
        return 2 * found / (len(reference) + len(other))
    return float((found - chance) / (0.5 * (len(reference) + len(other))) / norm)


def time_errors(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Steps between corresponding spikes: in order if there are as many, else to the nearest."""
    if not len(reference) or not len(other):
        return np.zeros(0, dtype=int)
    if len(reference) == len(other):
        errors: np.ndarray = np.abs(reference - other)
        return errors
    return _to_nearest(reference, other)


def lateness(reference: np.ndarray, other: np.ndarray, *, steps: int) -> np.ndarray:
    """By how many steps two trains are apart around each step, at most.

    Parameters
    ----------
    reference, other : ndarray of int
        The steps at which each spiked, ascending; both did.
    steps : int
        Length of the recording.

    Returns
    -------
    ndarray of int, shape (steps,)
        The larger error of the spike before and the spike after, of either train.
    """
    late = np.zeros(steps, dtype=int)
    for one, two in ((reference, other), (other, reference)):
        errors = time_errors(one, two)
        around = np.concatenate((errors[:1], np.maximum(errors[1:], errors[:-1]), errors[-1:]))
        late = np.maximum(late, around[np.searchsorted(one, np.arange(steps), side="right")])
        late[one] = np.maximum(late[one], around[: len(one)])  # it is before and after it
    return late


@dataclass(frozen=True)
class Alike:
    """How alike two spike trains are once a drift between their clocks is taken out.

    Under a held input a spike falls into one step or the next, and where it is a tie each
    interval may be a step longer: the trains then part at a steady rate although every interval is
    right within what a step can tell. That rate is a figure of its own, and the others are what is
    left without it.

    Attributes
    ----------
    count : int
        Spikes of the other train, less those of the reference.
    drift : float
        How much slower the other's clock runs, as a fraction; 0 where taking a drift out makes
        nothing better, or there are fewer than three pairs of spikes.
    mean : float
        Steps from the reference's spikes to the nearest of the other; NaN if either is silent.
    near : float
        The mean over those with one within ``window``; NaN if there are none.
    coincidence : float
        The factor of Jolivet et al.; NaN if ``window`` is 0.
    window : int
        Spikes within this many steps coincide: as asked, but no more than a quarter of the
        reference's mean interval. 0 where spikes follow so closely that chance explains
        half of what coincides within a single step.
    """

    count: int
    drift: float
    mean: float
    near: float
    coincidence: float
    window: int


def alike(reference: np.ndarray, other: np.ndarray, *, steps: int, window: int) -> Alike:
    """Compare two spike trains, with a drift of at most 2 % taken out.

    Parameters
    ----------
    reference, other : ndarray of int
        The steps at which each spiked, ascending.
    steps : int
        Length of the recording.
    window : int
        Steps within which spikes coincide, at most.
    """
    count = len(other) - len(reference)
    if not len(reference) or not len(other):
        return Alike(count, 0.0, math.nan, math.nan, 0.0 if count else 1.0, window)
    window = min(window, max(1, steps // (4 * len(reference))))
    if 2 * window * len(reference) > steps / 2:
        window = 0
    drifts = [0.0]
    pairs = min(len(reference), len(other))
    if pairs >= _FEWEST_TO_FIT:
        a, b = 1.0 + reference[:pairs], 1.0 + other[:pairs]
        drift = float(1 - (a @ b) / (b @ b))
        if abs(drift) <= _FURTHEST_DRIFT:
            drifts.append(drift)
    found = []
    for drift in drifts:
        moved = np.rint((1 + other) * (1 - drift)).astype(int) - 1
        errors = _to_nearest(reference, moved)
        factor = coincidence(reference, moved, steps=steps, window=window) if window else math.nan
        close = errors[errors <= window]
        near = float(close.mean()) if len(close) else math.nan
        found.append(Alike(count, drift, float(errors.mean()), near, factor, window))
    return min(found, key=lambda a: (-a.coincidence if window else 0.0, a.mean))


def _to_nearest(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    after = np.searchsorted(other, reference)
    right = np.abs(other[np.minimum(after, len(other) - 1)] - reference)
    left = np.abs(other[np.maximum(after - 1, 0)] - reference)
    nearest: np.ndarray = np.minimum(left, right)
    return nearest
