"""A network in integers: weights with a binary point of their own, sums that are exact."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import LoweringError
from ..population import FixedPopulation
from ..words import WORD_BITS, nearest, rounded
from .digest import digest
from .maps import Drawn
from .recording import NetworkRecording
from .run import Runs, run

if TYPE_CHECKING:
    from .network import Network, Projection

__all__ = ["FixedNetwork", "Synapses", "Total", "point_of"]

_FINEST, _COARSEST = 24, -32  # fraction bits of a weight
_WIDEST = 40  # bits of a sum


@dataclass(frozen=True)
class Synapses:
    """A projection's weights in integers.

    Attributes
    ----------
    projection : Projection
    weights : ndarray of int64
        In the form of its map's, each ``weight * 2**point`` to the nearest. Of a stochastic
        projection, the words of its weights.
    point : int
        Fraction bits of a weight, or of ``amount``.
    shift : int
        How many bits of the sum lie below those of a weight.
    error : float
        The most by which a weight is off, or ``amount``.
    amount : int or None
        Of a stochastic projection, what a product that is 1 adds.
    """

    projection: Projection
    weights: np.ndarray
    point: int
    shift: int
    error: float
    amount: int | None = None

    @property
    def lsb(self) -> float:
        """What an integer 1 of its weights stands for."""
        _, most = self.projection.map.limits(self.projection.bits)
        return 2.0**-self.point if self.amount is None else 1 / most

    @property
    def _each(self) -> int:
        """What an integer 1 of what its map makes adds."""
        return 1 if self.amount is None else self.amount

    def added(self, x: np.ndarray, step: int) -> np.ndarray:
        """What spikes (B, *shape) add to the sums in a step, int64 of shape (B, N)."""
        applied = self.projection.map.at(step).apply(x, self.weights).reshape(len(x), -1)
        return (applied.astype(np.int64) * self._each) << self.shift

    def checked(self, weights: Any) -> np.ndarray:
        """Other weights as int64, if they may be.

        Raises
        ------
        TypeError, ValueError
            No integers, another shape, or more than the projection's bits hold.
        """
        array = np.asarray(weights)
        least, most = self.projection.map.limits(self.projection.bits)
        if array.dtype.kind not in "iu":
            raise TypeError(f"{self.projection}: weights on a chip must be integers")
        if array.shape != self.weights.shape:
            raise ValueError(
                f"{self.projection}: weights have shape {array.shape}, not {self.weights.shape}"
            )
        if array.size and (array.max() > most or array.min() < least):
            raise ValueError(
                f"{self.projection}: weights are {least} to {most}, not {array.min()} to "
                f"{array.max()}"
            )
        return array.astype(np.int64)

    def largest(self, network: Network) -> int:
        """The most that they add to a sum, by absolute value, in its fraction bits."""
        source = network.nodes[self.projection.source]
        often = getattr(source, "most", 1) * abs(self._each)
        return (self.projection.map.largest(source.shape, self.weights) * often) << self.shift


@dataclass(frozen=True)
class Total:
    """How the sum of what arrives at an input becomes its word.

    Attributes
    ----------
    fraction : int
        Fraction bits of the sum.
    drop : int
        How many of them the word has not.
    base : ndarray of int64, shape (count,)
        What the sum begins with: default and biases, and half of what is dropped.
    needs : int
        The most that it can be, by absolute value, whatever arrives.
    width : int
        Bits that hold that.
    synapses : tuple of Synapses
    """

    fraction: int
    drop: int
    base: np.ndarray
    needs: int
    width: int
    synapses: tuple[Synapses, ...]

    def word(self, total: np.ndarray) -> np.ndarray:
        """Sums as words that may be beyond 16 bits."""
        return np.asarray(total) >> self.drop


class FixedNetwork(Runs):
    """The integers of a network, bit for bit what its hardware computes.

    Parameters
    ----------
    network : Network
    **options
        Of :meth:`scneuro.Neuron.fixed`, for all populations.

    Attributes
    ----------
    populations : dict of str to FixedPopulation
    totals : dict of (str, str) to Total
        By population and input.
    limited : dict of str to int
        Of the last run, how many sums of ``population.input`` were beyond a word or the limits of
        the input, as a chip counts them: of inputs that an update reads. Numbers that come in are
        limited before they reach a chip; :attr:`saturated` counts these, too.
    """

    def __init__(self, network: Network, **options: Any) -> None:
        self.network = network
        self.populations: dict[str, FixedPopulation] = {}
        for name, layer in network.layers.items():
            try:
                self.populations[name] = layer.population.fixed(**options)
            except LoweringError as error:
                named = error.message.startswith(f"{name}: ")
                where = "" if named else f"{name}: "
                raise type(error)(f"{where}{error.message}", error.hint) from None
        self.runners = {n: p.one for n, p in self.populations.items()}
        self.totals = {
            (name, to): self._total(name, to)
            for name, layer in network.layers.items()
            for to in layer.population.input_defaults
        }
        totals = self.totals.values()
        self._read = {
            name: {n.meta for n in p.lowered.path.reachable() if n.op == "input"}
            for name, p in self.populations.items()
        }
        self._synapses = {s.projection: s for total in totals for s in total.synapses}
        self.saturated: dict[str, int] = {}
        self.limited: dict[str, int] = {}
        self._batch = 1

    @property
    def name(self) -> str:
        return self.network.name

    @property
    def dt(self) -> float:
        return self.network.dt

    def _total(self, name: str, to: str) -> Total:
        network = self.network
        lowered = self.populations[name].lowered
        own = lowered.input_words[to].fraction
        spiking = [p for p in network.into(name) if p.to == to and not self.is_current(p)]
        points = {p: p.map.point(own) if isinstance(p.map, Drawn) else point_of(p) for p in spiking}
        fraction = max([own, *points.values()])
        made = [self._made(p, point, fraction - point) for p, point in points.items()]
        drop = fraction - own
        base = rounded(network.base(name, to), fraction).astype(np.int64)
        largest = int(np.abs(base).max())
        largest += sum(s.largest(network) for s in made)
        if any(self.is_current(p) for p in network.into(name) if p.to == to):
            largest += 1 << (WORD_BITS + drop)
        half = (1 << drop) >> 1
        needs = largest + half
        width = max(needs.bit_length() + 1, WORD_BITS + drop)
        if width > _WIDEST:
            raise LoweringError(
                f"{network.name}: {name}.{to}: a sum would take {width} bits",
                "give the projections nearer binary points, connect(..., point=...), or smaller "
                "weights or gains",
            )
        return Total(fraction, drop, base + half, needs, width, tuple(made))

    def _made(self, p: Projection, point: int, shift: int) -> Synapses:
        """A projection's integers, of so many fraction bits."""
        weights, where = p.map.integers(point), f"{self.network.name}: {p}"
        if isinstance(p.map, Drawn):
            amount = nearest(p.map.amount, point)
            if p.map.amount and not amount:
                raise LoweringError(
                    f"{where}: a product adds {p.map.amount:g}, and the sum's last bit is "
                    f"{2.0**-point:g}",
                    f"give it a greater gain, or {p.target}.{p.to} a finer word",
                )
            error = abs(math.ldexp(amount, -point) - p.map.amount)
            return Synapses(p, weights, point, shift, error, amount)
        least, most = p.map.limits(p.bits)
        if np.any(weights > most) or np.any(weights < least):
            far = float(np.abs(p.map.weights).max())
            raise LoweringError(
                f"{where}: a weight of {far:g} does not fit {p.bits} bits, {point} of them "
                "fraction",
                f"leave out point, or take at most {_fitting(p.map.weights, p.bits)}",
            )
        error = float(np.abs(np.ldexp(weights.astype(float), -point) - p.map.weights).max())
        return Synapses(p, weights, point, shift, error)

    def with_weights(self, weights: Mapping[int, np.ndarray]) -> FixedNetwork:
        """The same with other integers as weights, as they may be written to its hardware.

        Parameters
        ----------
        weights : mapping of int to ndarray of int
            By the projection's number, in the form of its map's weights.

        Raises
        ------
        ValueError, TypeError
            Not a projection of spikes, no integers, another shape, or more than its bits hold.
        """
        other = copy.copy(self)
        projections = self.network.projections
        made = dict(self._synapses)
        for k, values in weights.items():
            s = made.get(projections[k]) if 0 <= k < len(projections) else None
            if s is None:
                raise ValueError(f"{self.name}: projection {k} has no weights on a chip")
            made[projections[k]] = replace(s, weights=s.checked(values))
        other.totals = {
            key: replace(total, synapses=tuple(made[s.projection] for s in total.synapses))
            for key, total in self.totals.items()
        }
        other._synapses = made
        other.__dict__.pop("digest", None)
        return other

    @cached_property
    def digest(self) -> str:
        """16 hex digits, of all that decides its integers.

        Of datapaths, registers and where they start, seeds of noise, sums, projections and their
        weights and delays, inputs, outputs and their names, and the order of populations: not of
        the network's name, of a board, or of lanes.
        """
        return digest(self)

    def is_current(self, projection: Projection) -> bool:
        """Whether its source gives numbers, not spikes."""
        source = self.network.inputs.get(projection.source)
        return source is not None and source.kind == "current"

    # -- a run -------------------------------------------------------------------------------
    def run(
        self,
        *,
        progress: bool = True,
        record: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
        **inputs: Any,
    ) -> NetworkRecording:
        """Reset, then run over arrays of inputs; as :meth:`Network.run`."""
        self.limited = {}
        found = run(self.network, self, inputs, record=record, progress=progress)
        for name, fixed in self.populations.items():
            for state, times in fixed.one._stops.items():
                if times:
                    found.saturated[f"{name}.{state}"] = times
        return found

    def start(self, name: str, batch: int) -> None:
        fixed, self._batch = self.populations[name], batch
        fixed.one.reset()
        fixed.one.registers = {n: np.tile(v, batch) for n, v in fixed.initial.items()}

    def currents(self, projection: Projection, x: np.ndarray, fraction: int) -> np.ndarray:
        """What a current adds to a sum, (B, N)."""
        applied = projection.map.apply(x).reshape(len(x), -1)
        own = self.populations[projection.target].lowered.input_words[projection.to].fraction
        most = 1 << (WORD_BITS - 1)
        nearest = rounded(applied, own)
        words = np.clip(nearest, -most, most - 1)
        self._count(projection.target, projection.to, words != nearest)
        words = words.astype(np.int64)
        shifted: np.ndarray = words << (fraction - own)
        return shifted

    def given(
        self, name: str, to: str, arrived: list[tuple[Projection, np.ndarray]], step: int
    ) -> np.ndarray:
        total = self.totals[name, to]
        sums = np.broadcast_to(total.base, (self._batch, len(total.base)))
        for p, x in arrived:
            s = self._synapses.get(p)
            if s is None:
                sums = sums + self.currents(p, x, total.fraction)
            else:
                sums = sums + s.added(x, step)
        words = total.word(sums)
        most = 1 << (WORD_BITS - 1)
        found: np.ndarray = np.clip(words, -most, most - 1)
        lowered = self.populations[name].lowered
        low, high = lowered.input_limits[to]
        beyond = (words < low) | (words > high)
        self._count(name, to, beyond)
        if to in self._read[name]:
            key = f"{name}.{to}"
            self.limited[key] = self.limited.get(key, 0) + int(np.count_nonzero(beyond))
        return found

    def _count(self, name: str, to: str, beyond: np.ndarray) -> None:
        """Count what was limited on its way to an input."""
        key = f"{name}.{to}"
        self.saturated[key] = self.saturated.get(key, 0) + int(np.count_nonzero(beyond))

    def sums(self, name: str, to: str, given: np.ndarray) -> np.ndarray:
        found: np.ndarray = given * self.populations[name].lowered.input_words[to].lsb
        return found

    def sampled(self, name: str, state: str, recorded: np.ndarray) -> np.ndarray:
        found: np.ndarray = recorded * self.populations[name].lowered.registers[state].word.lsb
        return found

    def recorded(
        self,
        spike: dict[str, np.ndarray],
        registers: Mapping[str, Mapping[str, np.ndarray]],
        words: Mapping[str, Mapping[str, np.ndarray]],
        saturated: Mapping[str, int] | None = None,
        counts: Mapping[str, np.ndarray] | None = None,
    ) -> NetworkRecording:
        """A recording, of what registers and the words of inputs were, (T, N) by population.

        A register that is left out stays as it was at first.
        """
        states: dict[str, dict[str, np.ndarray]] = {}
        sums: dict[str, dict[str, np.ndarray]] = {}
        for name, population in self.populations.items():
            lowered = population.lowered
            states[name] = {}
            for n in population.state_names:
                r, values = lowered.registers[n], registers[name].get(n)
                if values is None:
                    values = np.broadcast_to(population.initial[n], spike[name].shape)
                states[name][n] = self.sampled(name, n, r.to_word(values))
            sums[name] = {n: self.sums(name, n, values) for n, values in words[name].items()}
        return NetworkRecording(
            self.dt, spike, states, sums, dict(saturated or {}), dict(counts or {})
        )

    def __repr__(self) -> str:
        return f"<integers of {self.network!r}>"


def point_of(projection: Projection) -> int:
    """Fraction bits of a projection's weights: those it has, or as many as they leave."""
    if projection.point is not None:
        return projection.point
    return _fitting(projection.map.weights, projection.bits)


def _fitting(weights: np.ndarray, bits: int) -> int:
    """The most fraction bits with which all weights fit."""
    largest = float(np.abs(weights).max(initial=0))
    if not largest:
        return 0
    most = (1 << (bits - 1)) - 1
    point = min(_FINEST, math.floor(math.log2(most / largest)) + 1)
    while point > _COARSEST:
        whole = rounded(weights, point)
        if whole.max(initial=0) <= most and whole.min(initial=0) >= -most - 1:
            break
        point -= 1
    return point
