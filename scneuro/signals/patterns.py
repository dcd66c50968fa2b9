"""Firing patterns under a constant current, each by a criterion that can be checked.

The names are those of Naud et al. (2008); the criteria are ours, and stated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["PATTERNS", "Pattern"]


@dataclass(frozen=True)
class Pattern:
    """A pattern and how it is recognised.

    Attributes
    ----------
    criterion : str
        In words.
    holds : callable
        From the spike times, ms from the onset of a current that lasts a second, to a bool.
    """

    criterion: str
    holds: Callable[[np.ndarray], bool]


def _intervals(times: np.ndarray, least: int = 5) -> np.ndarray:
    """The intervals between spikes, or none if there are fewer than ``least``."""
    intervals = np.diff(times)
    return intervals if len(intervals) >= least else np.zeros(0)


def _tonic(times: np.ndarray) -> bool:
    between = _intervals(times)
    return bool(len(between) and np.ptp(between) <= 0.1 * between[-1])


def _adapting(times: np.ndarray) -> bool:
    between = _intervals(times)
    return bool(
        len(between)
        and np.all(np.diff(between) >= -0.01 * between[-1])
        and between[-1] >= 1.5 * between[0]
        and between[2] < 0.75 * between[-1]
    )


def _initial_burst(times: np.ndarray) -> bool:
    between = _intervals(times)
    return bool(
        len(between)
        and between[0] < 0.25 * between[-1]
        and np.ptp(between[3:]) <= 0.1 * between[-1]
    )


def _gaps(times: np.ndarray) -> np.ndarray:
    """The silences between bursts: intervals five times longer than the shortest."""
    between = _intervals(times)
    return np.flatnonzero(between > 5 * between.min()) if len(between) else np.zeros(0, dtype=int)


def _bursts(times: np.ndarray) -> bool:
    gaps = _gaps(times)
    return bool(len(gaps) >= 3 and np.all(np.diff(gaps) >= 2))


def _bursting(times: np.ndarray) -> bool:
    return _bursts(times) and bool(times[0] < 50)


def _delayed_burst(times: np.ndarray) -> bool:
    return _bursts(times) and bool(times[0] >= 50)


def _accelerating(times: np.ndarray) -> bool:
    between = _intervals(times)
    return bool(
        len(between)
        and times[0] > between[0]
        and np.all(np.diff(between) <= 0.01 * between[0])
        and between[-1] <= 0.6 * between[0]
    )


def _transient(times: np.ndarray) -> bool:
    return bool(1 <= len(times) <= 3 and times[-1] < 100)


def _irregular(times: np.ndarray) -> bool:
    between = _intervals(times, least=20)
    if not len(between):
        return False
    late = between[len(between) // 2 :]
    cycles = [np.mean(np.abs(late[k:] - late[:-k])) for k in range(1, 5)]
    return bool(np.std(late) >= 0.4 * np.mean(late) and min(cycles) > 0.1 * np.mean(late))


PATTERNS = {
    "tonic": Pattern("all intervals equal within 10 %", _tonic),
    "adapting": Pattern(
        "intervals grow, gradually: the last is at least 1.5 times the first, the third below "
        "three quarters of the last",
        _adapting,
    ),
    "initial_burst": Pattern(
        "the first interval is below a quarter of the last; from the fourth on they are equal "
        "within 10 %",
        _initial_burst,
    ),
    "bursting": Pattern(
        "at once, and again and again: silences five times longer than the shortest interval, at "
        "least three, with two spikes or more between them",
        _bursting,
    ),
    "accelerating": Pattern(
        "the first spike is later than the first interval is long; intervals shrink, the last to "
        "60 % of the first or less",
        _accelerating,
    ),
    "delayed_burst": Pattern("as bursting, but the first spike comes after 50 ms", _delayed_burst),
    "transient": Pattern("one to three spikes, all in the first 100 ms", _transient),
    "irregular": Pattern(
        "in the second half the intervals' coefficient of variation is at least 0.4, and no cycle "
        "of one to four intervals repeats within 10 %",
        _irregular,
    ),
}
