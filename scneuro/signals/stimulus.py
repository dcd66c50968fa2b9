"""Input currents: constant, fluctuating, adversarial, or from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import FileTrouble
from ..runner import numbers
from ..words import Q8_8, quantize

__all__ = ["adversarial", "as_words", "constant", "load", "ornstein_uhlenbeck"]


def constant(value: float, steps: int) -> np.ndarray:
    """The same value throughout, shape (steps,)."""
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    return np.full(steps, numbers(value, "current"))


def ornstein_uhlenbeck(
    mean: float, std: float, tau: float, *, dt: float, steps: int, seed: int = 0
) -> np.ndarray:
    """A fluctuating current: the stationary Ornstein-Uhlenbeck process, sampled exactly.

    Parameters
    ----------
    mean, std : float
        Of the current, in its unit.
    tau : float
        Correlation time, ms.
    dt : float
        Time step, ms.
    steps, seed : int

    Returns
    -------
    ndarray, shape (steps,)
    """
    if not (std >= 0 and tau > 0 and dt > 0 and steps >= 1):
        raise ValueError(
            f"need std >= 0, tau > 0, dt > 0 and steps >= 1, not {std}, {tau}, {dt}, {steps}"
        )
    rng = np.random.default_rng(seed)
    keep = np.exp(-dt / tau)
    kick = std * np.sqrt(1 - keep**2) * rng.standard_normal(steps)
    current = np.empty(steps)
    deviation = std * rng.standard_normal()
    for t in range(steps):
        deviation = keep * deviation + kick[t]
        current[t] = mean + deviation
    return current


def adversarial(steps: int, *, seed: int = 0) -> np.ndarray:
    """What breaks careless hardware: full-scale steps, ramps, one-LSB wiggles, noise."""
    rng = np.random.default_rng(seed)
    pieces: list[np.ndarray] = []
    while sum(len(piece) for piece in pieces) < steps:
        length = int(rng.integers(1, 200))
        low, high = np.sort(rng.integers(-(2**15), 2**15, size=2))
        match rng.integers(5):
            case 0:
                pieces.append(np.full(length, rng.choice([-(2**15), 2**15 - 1, 0])))
            case 1:
                pieces.append(np.linspace(low, high, length).astype(int))
            case 2:
                pieces.append(low + np.arange(length) % 2)
            case 3:
                pieces.append(rng.integers(low, high + 1, size=length))
            case 4:
                spread = 2.0 ** rng.integers(0, 12)
                pieces.append((spread * rng.standard_normal(length)).astype(int))
    words = np.clip(np.concatenate(pieces)[:steps], -(2**15), 2**15 - 1)
    values: np.ndarray = words * Q8_8.lsb
    return values


def as_words(values: np.ndarray, what: str = "current", unit: str = "") -> np.ndarray:
    """The values a Q8.8 port carries: each rounded to its nearest word."""
    rounded: np.ndarray = np.ldexp(quantize(values, what, Q8_8, unit), -Q8_8.fraction)
    return rounded


def load(path: str | Path) -> np.ndarray:
    """A stimulus from a ``.npy`` or ``.csv`` file: one value per time step, shape (T,).

    Raises
    ------
    FileTrouble
        If the file is missing, of another kind, or does not hold one column of finite numbers.
    """
    path = Path(path)
    hint = "a stimulus is a .npy array of shape (T,), or a .csv with one number per line"
    try:
        if path.suffix == ".npy":
            array = np.load(path, allow_pickle=False)
        elif path.suffix == ".csv":
            array = np.loadtxt(path, delimiter=",", ndmin=1, encoding="utf-8")
        else:
            raise FileTrouble(f"{path} is neither .npy nor .csv", hint)
    except OSError as error:
        raise FileTrouble(f"cannot read {path}: {error.strerror or error}", hint) from None
    except (ValueError, EOFError) as error:
        raise FileTrouble(f"{path} is no stimulus: {error}", hint) from None
    if array.ndim != 1 or not len(array):
        raise FileTrouble(f"{path} has shape {array.shape}, not (T,)", hint)
    try:
        return numbers(array, str(path))
    except (TypeError, ValueError) as error:
        raise FileTrouble(str(error), hint) from None
