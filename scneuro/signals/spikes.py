"""How alike two spike trains are."""

from __future__ import annotations

import numpy as np

__all__ = ["coincidence", "time_errors"]


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
    found, used = 0, -1
    for spike in reference:  # each spike of the other counts once
        ahead = np.flatnonzero((np.abs(other - spike) <= window) & (np.arange(len(other)) > used))
        if len(ahead):
            found, used = found + 1, int(ahead[0])
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
    else:
        errors = np.min(np.abs(reference[:, None] - other[None, :]), axis=1)
    return errors
