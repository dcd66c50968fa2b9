"""What a chip has of its network, by name: states, counts and weights, read when asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from ...errors import UnknownName, did_you_mean
from ...network import FixedNetwork
from ...network.counts import where_of
from ...network.fixed import Synapses
from ...network.network import Projection
from ...runner import numbers
from .memory import Chipped

__all__ = ["Counts", "States", "Weights", "listed"]


def listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


class _Named(Mapping[str, Any]):
    """Values by names that are known beforehand."""

    _one, _all = "", ""  # in messages
    _none = ""  # the way out where there are none
    _names: Collection[str]

    def _checked(self, name: str) -> str:
        if name not in self._names:
            hint = did_you_mean(str(name), self._names) if self._names else self._none
            raise UnknownName(f"no {self._one} {name!r}; there are {listed(self._names)}", hint)
        return name

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"a chip's {self._all} stay")

    def __repr__(self) -> str:
        return f"<{self._all} {listed(self._names)}>"


class States(_Named, MutableMapping[str, Any]):
    """The states of neurons, by ``POPULATION.STATE``, or by their own names in one population."""

    _one, _all = "state", "states"
    _names: dict[str, tuple[str, str]]

    def __init__(
        self, memory: Chipped, fixed: FixedNetwork, within: str = "", *, single: bool = False
    ) -> None:
        self._memory, self._fixed, self._single = memory, fixed, single
        self._names = {
            f"{name}.{state}" if not within else state: (name, state)
            for name, population in fixed.populations.items()
            for state in population.lowered.registers
        }

    def __getitem__(self, name: str) -> Any:
        population, state = self._names[self._checked(name)]
        own, where = self._fixed.populations[population], f"{population}.{state}"
        r = own.lowered.registers[state]
        if where in self._memory:
            registers = self._memory.memories.registers(where, self._memory.read(where))
        else:  # no update reads it: it is as it was
            registers = np.array(own.initial[state])
        values = r.to_word(registers) * r.word.lsb
        values.setflags(write=False)  # they are what was read: to set one, set_one()
        return float(values[0]) if self._single else values

    def __setitem__(self, name: str, values: Any) -> None:
        where = self._settable(name)
        self._memory.write(where, self._memory.memories.of_values(where, values))

    def set_one(self, name: str, neuron: int, value: float) -> None:
        """Set the state of a neuron alone; whatever the others do meanwhile."""
        where, memories = self._settable(name), self._memory.memories
        row = memories.row_of(where, neuron)
        table = memories.of_values(where, np.asarray(value))
        self._memory.write(where, table[row : row + 1], row)

    @property
    def settable(self) -> Iterator[str]:
        """The names of those that can be set."""
        return (name for name, where in self._names.items() if ".".join(where) in self._memory)

    def _settable(self, name: str) -> str:
        where = ".".join(self._names[self._checked(name)])
        if where not in self._memory:
            raise ValueError(f"{where} cannot be set on the chip: no update reads it")
        return where


class Counts(_Named):
    """The counts of outputs, by their names."""

    _one = _all = "counts"
    _none = 'build a Network with output(..., sends="counts")'

    def __init__(self, memory: Chipped, names: Sequence[str]) -> None:
        self._memory, self._names = memory, names

    def __getitem__(self, name: str) -> np.ndarray:
        read = self._memory.read(where_of(self._checked(name)))
        return self._memory.memories.counts(name, read)

    def __setitem__(self, name: str, value: object) -> None:
        raise TypeError("counts are not set: a reset begins them anew")


class Weights(_Named, MutableMapping[str, np.ndarray]):
    """The weights of projections, by ``SOURCE > TARGET``, or with ``.INPUT`` where several are."""

    _one = _all = "weights"
    _names: dict[str, int]  # the projections' numbers

    def __init__(self, memory: Chipped, fixed: FixedNetwork) -> None:
        self._memory, self._fixed = memory, fixed
        projections = fixed.network.projections
        spiking = {k: p for k, p in enumerate(projections) if not fixed.is_current(p)}
        plain = [str(p) for p in spiking.values()]
        self._names = {}
        for k, p in spiking.items():
            name = str(p) if plain.count(str(p)) == 1 else f"{p}.{p.to}"
            if name in self._names:
                name += f" {k}"
            self._names[name] = k
        self._known: dict[int, np.ndarray] = {}

    def number(self, projection: Projection) -> int | None:
        """Of a projection in the network; None for one of numbers, which has no weights here."""
        k = self._fixed.network.projections.index(projection)
        return k if k in self._names.values() else None

    def read(self, number: int) -> np.ndarray:
        """A projection's integers, as they were read or written last here."""
        if number not in self._known:
            rows = self._memory.memories.rows_of(number)
            read = self._memory.read("weights", rows)
            self._known[number] = self._memory.memories.weights(number, read)
        return self._known[number]

    def load(self) -> None:
        """Write all that the network has: where it is not in the bitstream."""
        for number in self._names.values():
            self._write(number, self._synapses(number).weights)

    def _write(self, number: int, integers: np.ndarray) -> None:
        rows = self._memory.memories.of_weights(number, integers)
        self._known.pop(number, None)
        self._memory.write("weights", rows, self._memory.memories.rows_of(number).start)
        self._known[number] = np.array(integers)

    def _synapses(self, number: int) -> Synapses:
        p = self._fixed.network.projections[number]
        return next(s for s in self._fixed.totals[p.target, p.to].synapses if s.projection is p)

    def __getitem__(self, name: str) -> np.ndarray:
        number = self._names[self._checked(name)]
        values: np.ndarray = self.read(number) * self._synapses(number).lsb
        return values

    def __setitem__(self, name: str, values: Any) -> None:
        number, where = self._names[self._checked(name)], f"{self._fixed.name}: {name}"
        own = self._synapses(number)
        array = numbers(values, where)
        if array.shape != own.weights.shape:
            raise ValueError(
                f"{where}: weights have shape {own.weights.shape}, and these {array.shape}"
            )
        integers = np.floor(array / own.lsb + 0.5)
        least, most = own.projection.map.limits(own.projection.bits)
        outside = (integers < least) | (integers > most)
        if outside.any():
            at = tuple(map(int, np.argwhere(outside)[0]))
            low, high = least * own.lsb, most * own.lsb
            raise ValueError(
                f"{where}: the weight at {list(at)} is {array[at]:g}, and the chip's are {low:g} "
                f"to {high:g}, in steps of {own.lsb:g}"
            )
        self._write(number, integers.astype(np.int64))
