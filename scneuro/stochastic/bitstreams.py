"""A value as a stream of bits, and a synapse that multiplies it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..given import whole
from ..runner import numbers
from .sources import Source, sources_for
from .streams import bits_of, meant, ones_of, product, words_of

__all__ = ["BitstreamEncoder", "BitstreamSynapse", "bits_for", "kind_of"]

_LONGEST = 1 << 24
_FINEST = 16  # bits of a register that is chosen here
#: What sources may be called, and are.
_KINDS = {
    "lfsr": "lfsr",
    "bernoulli": "lfsr",
    "low_discrepancy": "low_discrepancy",
    "sobol": "low_discrepancy",
}


def bits_for(length: int) -> int:
    """The bits of the register whose period is a stream of so many bits, or nearest to it."""
    return min(_FINEST, max(4, (length - 1).bit_length()))


def kind_of(mode: Any, what: str = "mode") -> str:
    """The kind of source that a mode means; ``what`` the mode is called.

    Raises
    ------
    ValueError
    """
    if not isinstance(mode, str) or mode not in _KINDS:
        raise ValueError(f"{what} must be one of {', '.join(_KINDS)}, not {mode!r}")
    return _KINDS[mode]


class _Coded:
    """Values from ``low`` to ``high`` as streams of one source."""

    def __init__(
        self, low: float, high: float, length: int, mode: str, seed: int | None, bits: int | None
    ) -> None:
        self.length = whole("length", length, 1, _LONGEST)
        self._low, self._high = (float(numbers(v, "a limit")) for v in (low, high))
        if not self._low < self._high:
            raise ValueError(f"the limits must rise, not {self._low:g} to {self._high:g}")
        count = bits_for(self.length) if bits is None else bits
        seed = 0 if seed is None else whole("seed", seed, 0)
        (self.source,) = sources_for(1, count, kind_of(mode), seed)

    def _stream(self, source: Source, values: Any, what: str) -> np.ndarray:
        share = (numbers(values, what) - self._low) / (self._high - self._low)
        if np.any((share < 0) | (share > 1)):
            raise ValueError(
                f"{what} must be {self._low:g} to {self._high:g}, not {values!r}"[:160]
            )
        words = words_of(share, source.levels, what)
        return bits_of(words[..., None], source.draws(0, self.length)).astype(np.uint8)


class BitstreamEncoder(_Coded):
    """Values as streams of bits, by comparing them with a source.

    Parameters
    ----------
    x_min, x_max : float
        The values that are all zeros and all ones. With -1 and 1 the streams are bipolar.
    length : int
        Bits of a stream.
    mode : {"lfsr", "low_discrepancy"}
        The source; the tutorial's ``bernoulli`` and ``sobol`` are these.
    seed : int, optional
        Where the source starts. Streams of one seed are as much alike as their values let them be.
    bits : int, optional
        Of the source, 4 to 32; by default as many as make its period the length.

    Raises
    ------
    TypeError, ValueError
    """

    def __init__(
        self,
        x_min: float = 0.0,
        x_max: float = 1.0,
        length: int = 1024,
        mode: str = "lfsr",
        seed: int | None = None,
        *,
        bits: int | None = None,
    ) -> None:
        super().__init__(x_min, x_max, length, mode, seed, bits)
        self.x_min, self.x_max = self._low, self._high

    def encode(self, x: Any) -> np.ndarray:
        """The stream of a value, uint8 of shape (length,), or of many, (..., length).

        Raises
        ------
        TypeError, ValueError
            What is no number, not finite, or beyond ``x_min`` or ``x_max``.
        """
        return self._stream(self.source, x, "x")

    def decode(self, bits: Any) -> Any:
        """The value that a stream stands for: a float, or an array for streams (..., T)."""
        ones = ones_of(bits, "bits")
        share = meant(ones.sum(axis=-1), ones.shape[-1])
        found = self.x_min + share * (self.x_max - self.x_min)
        return float(found) if np.ndim(found) == 0 else found


class BitstreamSynapse(_Coded):
    """A weight as a stream, which multiplies another one: by AND, or bipolar by XNOR.

    Its draws are the mirror of those of a :class:`BitstreamEncoder` of the same length, mode and
    seed: the two are independent, and the product of a whole period is as near as a product of
    streams comes.

    Parameters
    ----------
    w_min, w_max : float
        The weights that are all zeros and all ones.
    w : float
        May be set.
    bipolar : bool
        Streams stand for -1 to 1: take limits of -1 and 1.

    The rest as of :class:`BitstreamEncoder`.
    """

    def __init__(
        self,
        w_min: float = 0.0,
        w_max: float = 1.0,
        length: int = 1024,
        w: float = 0.5,
        mode: str = "lfsr",
        seed: int | None = None,
        *,
        bits: int | None = None,
        bipolar: bool = False,
    ) -> None:
        super().__init__(w_min, w_max, length, mode, seed, bits)
        self.w_min, self.w_max, self.bipolar = self._low, self._high, bipolar
        self.w = w

    @property
    def w(self) -> float:
        return self._w

    @w.setter
    def w(self, value: float) -> None:
        self.bits = self._stream(self.source.mirror, value, "w")
        if self.bits.ndim != 1:
            raise ValueError(f"w must be one number, not {np.shape(value)} of them")
        self._w = float(value)

    def apply(self, pre_bits: Any) -> np.ndarray:
        """The product with a stream, uint8 of shape (length,).

        Raises
        ------
        TypeError, ValueError
            What is no stream of zeros and ones, or of another length.
        """
        ones = ones_of(pre_bits, "pre_bits")
        if ones.shape != (self.length,):
            raise ValueError(f"pre_bits must have shape ({self.length},), not {ones.shape}")
        return product(ones, self.bits == 1, bipolar=self.bipolar).astype(np.uint8)
