"""Noise that float, integers and gates share: the same draws, so noisy runs compare bit for bit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .lfsr import LFSR, leap

__all__ = ["Noise", "NoiseSource", "totals"]

_DRAWS = {"uniform": 1, "normal": 4}


@dataclass
class Noise:
    """A random input, new at every step, drawn from an LFSR that all noises of a neuron share.

    ``update`` gets it after the states and inputs. The values are multiples of 2**-16 before they
    are scaled, the same ones in float, in integers and in gates.

    Parameters
    ----------
    kind : {"normal", "uniform"}
        ``normal``: mean 0 and variance 1, the sum of four draws (Irwin and Hall 1927; within
        +-3.46). ``uniform``: 0 < x < 1, one draw, at the middles of 65,536 equal parts.
    """

    kind: str = "normal"
    name: str = field(default="", init=False)

    def __post_init__(self) -> None:
        if self.kind not in _DRAWS:
            raise ValueError(f"kind must be one of {', '.join(_DRAWS)}, not {self.kind!r}")

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def draws(self) -> tuple[str, ...]:
        """The names of its draws of 16 bits, in order; no variable of a neuron can have one."""
        return tuple(f"{self.name}.{k}" for k in range(_DRAWS[self.kind]))

    def scaled(self, total: Any) -> Any:
        """The noise, from the sum of its draws times 2**-16; for numbers and traced values."""
        count, middle = _DRAWS[self.kind], 2.0 ** -(LFSR.DRAW + 1)
        if self.kind == "uniform":
            return total + middle
        return math.sqrt(12 / count) * (total - count * (0.5 - middle))


class NoiseSource:
    """The draws of every step.

    Parameters
    ----------
    names : tuple of str
        What is drawn, in order. N neurons draw in turn, each all of these.
    seed : int
    """

    def __init__(self, names: tuple[str, ...], seed: int) -> None:
        self.names = names
        self._lfsr = LFSR(seed)

    def draw(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """Draws of 16 bits by name: ints, or int64 arrays of ``shape`` (N,)."""
        if not self.names:
            return {}
        count = shape[0] if shape else 1
        drawn = self._lfsr.draws(count * len(self.names))
        if not shape:
            return dict(zip(self.names, drawn, strict=True))
        table = np.array(drawn).reshape(count, -1)
        return {n: table[:, i] for i, n in enumerate(self.names)}

    def starts(self, count: int) -> np.ndarray:
        """The LFSR's state as each of ``count`` neurons finds it in the next step, (count,)."""
        states = np.array([self._lfsr.state])
        while self.names and len(states) < count:  # twice as many neurons, so many draws later
            rows = leap(len(states) * len(self.names))
            bytes_of = (states >> 8 * k & 255 for k in range(len(rows)))
            later = np.bitwise_xor.reduce([r[b] for r, b in zip(rows, bytes_of, strict=True)])
            states = np.concatenate([states, later])
        return np.resize(states, count)

    def leap(self, count: int) -> np.ndarray:
        """What takes a neuron's last state of a step to its first of the next, as ``leap``."""
        return leap((count - 1) * len(self.names))

    def skip(self, steps: int, count: int) -> None:
        """Go on as if ``count`` neurons had drawn for ``steps`` steps."""
        self._lfsr.skip(steps * count * len(self.names))


def totals(noises: Mapping[str, Noise], draws: Mapping[str, Any]) -> dict[str, Any]:
    """The sum of each noise's draws times 2**-16."""
    return {
        name: sum(np.ldexp(np.float64(draws[d]), -LFSR.DRAW) for d in noise.draws)
        for name, noise in noises.items()
    }
