"""The rest of the custom-neuron tutorial's surface: its fixed-point neuron and its comparison.

The float neurons are :class:`~scneuro.SCAdExNeuron` and :class:`~scneuro.SCConductanceNeuron`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from .fixed import FixedNeuron
from .neurons.sc_adex import SCAdExNeuron
from .words import Q8_8, nearest

__all__ = ["FixedPointAdExNeuron", "verify_adex_parity"]

_ONE = 1 << Q8_8.fraction


class FixedPointAdExNeuron:
    """The tutorial's AdEx in Q8.8: its parameters, inputs and states are words, n/256.

    What runs inside is the lowering of :class:`~scneuro.SCAdExNeuron` itself, with guard bits,
    coefficients of 16 significant bits and the exponential, not a second model.

    Parameters
    ----------
    E_L, V_T, V_reset, V_peak, g_L, a, b : int
        Words. A default stands for the float model's value that it is rounded from (26 for 0.1,
        which 26/256 misses by 1.6 %); any other n for n/256.

    Attributes
    ----------
    V, w : int
        Words.

    Raises
    ------
    TypeError, ValueError
        A parameter or input that is no integer, or does not fit 16 bits.
    """

    _names: ClassVar[tuple[str, ...]] = ("E_L", "V_T", "V_reset", "V_peak", "g_L", "a", "b")

    def __init__(
        self,
        E_L: int = 77,
        V_T: int = 128,
        V_reset: int = 72,
        V_peak: int = 205,
        g_L: int = 26,
        a: int = 5,
        b: int = 13,
    ) -> None:
        self.E_L, self.V_T, self.V_reset, self.V_peak = E_L, V_T, V_reset, V_peak
        self.g_L, self.a, self.b = g_L, a, b
        model = SCAdExNeuron()
        chosen = {}
        for name in self._names:
            given = _word(getattr(self, name), name)
            if given != nearest(model.parameters[name], Q8_8.fraction):
                chosen[name] = given / _ONE
        self._fixed = _lowered(**chosen)
        self._registers: dict[str, Any]
        self.reset()

    def step(self, I_q8: int = 0) -> tuple[int, int]:
        """One time step at the input word ``I_q8``: the spike flag and V's word."""
        current = _word(I_q8, "I_q8") / _ONE
        self._fixed.registers = self._registers
        spike, _ = self._fixed.step(I=current)
        self._registers = self._fixed.registers
        return spike, self.V

    def reset(self) -> None:
        """Return to the initial state."""
        self._fixed.reset()
        self._registers = self._fixed.registers

    @property
    def V(self) -> int:  # noqa: N802 - the field's symbol
        return self._read("V")

    @property
    def w(self) -> int:
        return self._read("w")

    def _read(self, name: str) -> int:
        return int(self._fixed.lowered.registers[name].to_word(self._registers[name]))


@cache
def _lowered(**parameters: float) -> FixedNeuron:
    """The integer model, made once for each set of parameters; its users keep their registers."""
    return SCAdExNeuron(**parameters).fixed()


def _word(value: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"FixedPointAdExNeuron: {what} must be an int, not {value!r}")
    if not -(1 << 15) <= value < 1 << 15:
        raise ValueError(f"FixedPointAdExNeuron: {what} = {value} does not fit 16 bits")
    return value


def verify_adex_parity(n_steps: int = 200, *, current: float = 0.15) -> None:
    """Print the spike counts of the float and the Q8.8 AdEx, and how they differ.

    Parameters
    ----------
    n_steps : int
    current : float
        Held from step 51 to 149, as the tutorial does. Q8.8 is given its word, as the tutorial
        makes it: n = int(256 * current).
    """
    model, chip = SCAdExNeuron(), FixedPointAdExNeuron()
    counts = [0, 0]
    for t in range(n_steps):
        I = current if 50 < t < 150 else 0.0  # noqa: E741 - the field's symbol
        counts[0] += model.step(I=I)[0]
        counts[1] += chip.step(I_q8=int(I * _ONE))[0]
    print(f"Float spikes: {counts[0]}")
    print(f"Q8.8 spikes: {counts[1]}")
    print(f"Difference: {abs(counts[0] - counts[1])}")
