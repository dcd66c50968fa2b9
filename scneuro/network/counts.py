"""The counts of an output: of each neuron its spikes since a reset, as a chip keeps them."""

from __future__ import annotations

import numpy as np

__all__ = ["BITS", "MOST", "SENDS", "kept", "running", "where_of"]

#: Of a count, and where it stays.
BITS = 16
MOST = (1 << BITS) - 1
#: What leaves a chip of an output.
SENDS = ("spikes", "counts", "both")


def kept(spike: np.ndarray) -> np.ndarray:
    """The counts after all steps, from a reset on: of (T, ..., N), int64 of shape (..., N)."""
    found: np.ndarray = np.minimum(spike.sum(axis=0, dtype=np.int64), MOST)
    return found


def running(spike: np.ndarray) -> np.ndarray:
    """The same after each step, int64 of shape (T, ..., N)."""
    found: np.ndarray = np.minimum(np.cumsum(spike, axis=0, dtype=np.int64), MOST)
    return found


def where_of(population: str) -> str:
    """What the counts of a population are called, in files and among a chip's memories."""
    return f"{population}/counts"
