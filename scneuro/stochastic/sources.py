"""Sources of the numbers that make bitstreams: a register, and the two orders of its bits.

A register goes through all of its states, one a bit of the stream. An LFSR of n bits has 2**n - 1
of them, a counter 2**n. Its bits with bit 0 as the most significant are one number, a *draw*; in
the *mirrored* order they are another. Over a period the two fill the unit square as evenly as
Hammersley's points (1960): for a counter they are van der Corput's sequence (1935) and a ramp, and
an LFSR visits the same points, but for the origin, in another order. So a register serves an input
and the weight that it is multiplied with.

Another source is the same register at another *place* of its period: a linear map of the state,
which is a power of the LFSR's own step, whichever register it is applied to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import gcd

import numpy as np

from ..given import whole
from .linear import applied, mapped, orbit, power

__all__ = ["KINDS", "TAPS", "Source", "limit", "places", "sources_for", "step_of"]

#: Taps of maximal shift registers by their width: the bits, counted from 1, whose XOR is the new
#: bit 1 (P. Alfke, Xilinx application note XAPP 052, 1996, table 3).
TAPS = {
    4: (4, 3),
    5: (5, 3),
    6: (6, 5),
    7: (7, 6),
    8: (8, 6, 5, 4),
    9: (9, 5),
    10: (10, 7),
    11: (11, 9),
    12: (12, 6, 4, 1),
    13: (13, 4, 3, 1),
    14: (14, 5, 3, 1),
    15: (15, 14),
    16: (16, 15, 13, 4),
    17: (17, 14),
    18: (18, 11),
    19: (19, 6, 2, 1),
    20: (20, 17),
    21: (21, 19),
    22: (22, 21),
    23: (23, 18),
    24: (24, 23, 22, 17),
    25: (25, 22),
    26: (26, 6, 2, 1),
    27: (27, 5, 2, 1),
    28: (28, 25),
    29: (29, 27),
    30: (30, 6, 4, 1),
    31: (31, 28),
    32: (32, 22, 2, 1),
}

KINDS = ("lfsr", "low_discrepancy")

_SEARCHED = 16  # bits up to which places are found by the correlations of the whole period
_MOST = 64  # places
_MARGIN = 0.95  # of the limit, for what lies between the values that are looked at


@dataclass(frozen=True)
class Source:
    """The numbers that a stream is compared with, one a bit.

    A stream's bit is 1 where the draw is less than the stream's word. A word from 0 to ``levels``
    stands for ``word / levels``, which the stream is exactly over a period.

    Parameters
    ----------
    bits : int
        Of the register, 4 to 32.
    kind : {"lfsr", "low_discrepancy"}
        A maximal shift register, or a counter.
    place : int
        How many steps of the shift register it is ahead.
    mirrored : bool
        The other order of its bits.

    Raises
    ------
    TypeError, ValueError
    """

    bits: int = 8
    kind: str = "lfsr"
    place: int = 0
    mirrored: bool = False

    def __post_init__(self) -> None:
        whole("bits of a source", self.bits)
        whole("place of a source", self.place, 0)
        if self.bits not in TAPS:
            raise ValueError(
                f"bits of a source must be {min(TAPS)} to {max(TAPS)}, not {self.bits}"
            )
        if self.kind not in KINDS:
            raise ValueError(
                f"kind of a source must be one of {', '.join(KINDS)}, not {self.kind!r}"
            )

    @property
    def levels(self) -> int:
        """The register's period: a word counts parts of so many."""
        return (1 << self.bits) - (self.kind == "lfsr")

    @property
    def mirror(self) -> Source:
        """The source of the same register whose draws are independent of these."""
        return replace(self, mirrored=not self.mirrored)

    def states(self, start: int, count: int) -> np.ndarray:
        """The register from bit ``start`` of the stream on, int64 of shape (count,)."""
        step = step_of(self.bits)
        if self.kind == "lfsr":
            first = applied(power(step, (self.place + start) % self.levels), 1)
            return np.resize(orbit(step, first, min(count, self.levels)), count)
        counts = (start + np.arange(count, dtype=np.int64)) % self.levels
        return mapped(power(step, self.place), counts)

    def draws(self, start: int, count: int) -> np.ndarray:
        """The numbers from bit ``start`` of the stream on, 0 to ``levels`` - 1, int64 (count,)."""
        states = self.states(start, count)
        numbers = states if self.mirrored else _mirrored(states, self.bits)
        return numbers - 1 if self.kind == "lfsr" else numbers


@lru_cache(maxsize=64)
def step_of(bits: int) -> tuple[int, ...]:
    """The step of the maximal shift register of so many bits, as a linear map.

    It shifts towards bit 0; the tap 1 is the highest bit, which is new.
    """
    newest = 1 << (bits - 1)
    return tuple((1 << bit >> 1) | newest * (bits - bit in TAPS[bits]) for bit in range(bits))


def _mirrored(states: np.ndarray, bits: int) -> np.ndarray:
    return mapped(tuple(1 << (bits - 1 - bit) for bit in range(bits)), states)


def limit(bits: int) -> float:
    """What the correlation of two places' streams is at most, for values from 1/8 to 7/8.

    It is 0.1, or what short registers reach: 1.6 times what random streams have on average.
    """
    return max(0.1, 1.6 / float(2 ** (bits / 2)))


@lru_cache(maxsize=64)
def places(bits: int) -> tuple[int, ...]:
    """Places whose streams hardly correlate, two by two, over a period; at most 64.

    Up to 16 bits all places are looked at: the correlation of two streams is at most :func:`limit`
    for values from 1/8 to 7/8. The longer registers' places are as far apart as they can be;
    nothing is promised of the little of their periods that is ever seen.
    """
    period = (1 << bits) - 1
    if bits > _SEARCHED:
        return tuple(k * _apart(period) % period for k in range(_MOST))
    allowed = _worst(bits) <= limit(bits) * (_MARGIN if bits > 8 else 1)
    allowed[0] = False
    spectrum = np.conj(np.fft.rfft(allowed.astype(float)))
    chosen, left = [0], allowed.copy()
    while left.any() and len(chosen) < _MOST:  # the one that leaves the most to choose from
        remain = np.fft.irfft(np.fft.rfft(left.astype(float)) * spectrum, period).round()
        place = int(np.argmax(np.where(left, remain, -1)))
        chosen.append(place)
        left &= np.roll(allowed, place)
    return tuple(chosen)


def _worst(bits: int) -> np.ndarray:
    """By place, the greatest correlation with place 0 of any two of the values, shape (period,)."""
    source = Source(bits)
    draws, period = source.draws(0, source.levels), source.levels
    parts = 256 if bits < 10 else 64 if bits == 10 else 16
    words = np.floor(np.arange(parts // 8, parts * 7 // 8 + 1) / parts * period + 0.5)
    streams = (draws < words[:, None]).astype(float)
    streams -= streams.mean(axis=1, keepdims=True)
    streams /= np.sqrt((streams**2).sum(axis=1, keepdims=True))
    spectra = np.fft.rfft(streams, axis=1)
    worst = np.zeros(period)
    for spectrum in spectra:
        found = np.fft.irfft(np.conj(spectrum) * spectra, period, axis=1)
        worst = np.maximum(worst, np.abs(found).max(axis=0))
    return worst


def _apart(period: int) -> int:
    """The golden section of a period, or the next number that has no divisor in common with it."""
    step = round(period * (5**0.5 - 1) / 2)
    while gcd(step, period) > 1:
        step += 1
    return step


def sources_for(
    count: int, bits: int, kind: str = "lfsr", seed: int = 0, shared: int | None = None
) -> list[Source]:
    """Sources for ``count`` inputs; their mirrors are those of the weights.

    Parameters
    ----------
    shared : int, optional
        How many different ones; the inputs take them in turn. By default as many as there are
        inputs, and no more than 16, or than are independent of each other.
    seed : int
        Moves all of them on, each seed to another part of the period.

    Raises
    ------
    ValueError
        More than there are independent ones.
    """
    Source(bits, kind)  # checks both
    found = places(bits)
    most = len(found)
    different = min(count, 16, most) if shared is None else shared
    if not 1 <= different <= most:
        raise ValueError(
            f"{different} sources of {bits} bits: there are 1 to {most} that do not correlate; "
            "take fewer, which inputs share, or more bits"
        )
    period = (1 << bits) - 1
    ahead = seed * _apart(period)
    made = [Source(bits, kind, (place + ahead) % period) for place in found[:different]]
    return _in_turn(made, count)


def _in_turn(made: Sequence[Source], count: int) -> list[Source]:
    return [made[k % len(made)] for k in range(count)]
