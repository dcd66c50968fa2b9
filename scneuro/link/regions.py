"""The memories of a network that a host reads and writes, and what their rows stand for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ScneuroError
from ..network import counts
from ..network.plan import SPIKES_A_WORD, Deliver, Plan, beyond, table_of, unpacked
from ..runner import numbers
from ..words import rounded

if TYPE_CHECKING:
    from ..compiler.datapath import Node
    from ..network import FixedNetwork
    from ..network.fixed import Synapses

__all__ = ["MOST_REGIONS", "MOST_ROWS", "Memories", "Region", "listed", "regions"]

WORD = 16
#: What a number of a region, and of a row, can name; eight regions are the link's own.
MOST_REGIONS, MOST_ROWS = 248, 1 << 16


@dataclass(frozen=True)
class Region:
    """Rows of a memory.

    Attributes
    ----------
    name : str
        ``weights``, ``POPULATION.STATE``, ``POPULATION/spikes`` or ``POPULATION/counts``.
    rows : int
    words : int
        16-bit words of a row, the lowest first.
    bits : int
        Of a row, in the lowest bits of its words.
    signed : bool
        Whether these are a number in two's complement, which its words have, too.
    writable : bool
    """

    name: str
    rows: int
    words: int
    bits: int
    signed: bool
    writable: bool


def regions(fixed: FixedNetwork, plan: Plan) -> tuple[Region, ...]:
    """The memories of a network, in order.

    First the weights, where spikes reach any neuron: a row of lanes, the first one lowest. Then, by
    population, its states and the parameters that differ from neuron to neuron, a row a neuron in
    the order of ``plan.places``: those that an update reads. Then, by population, the spikes of
    the last step, 16 in a row. Last, the counts of the outputs whose spikes are counted, a row a
    neuron in the same order: of the spikes since the last restart, at most 65,535.

    Raises
    ------
    ScneuroError
        More than numbers of 8 bits name, or more rows than 16 bits do.
    """
    found = listed(fixed, plan)
    for region in found:
        if region.rows > MOST_ROWS:
            raise ScneuroError(
                f"{fixed.name}: {region.name} has {region.rows:,} rows, and a link reaches "
                f"{MOST_ROWS:,}",
                "use more lanes" if region.name == "weights" else "use smaller populations",
            )
    if len(found) > MOST_REGIONS:
        raise ScneuroError(
            f"{fixed.name} has {len(found)} memories, and a link reaches {MOST_REGIONS}",
            "use fewer populations",
        )
    return tuple(found)


def listed(fixed: FixedNetwork, plan: Plan) -> list[Region]:
    """The memories of a network, in order, also where a link does not reach all of them."""
    found = []
    if any(isinstance(work, Deliver) for _, works in plan.order for work in works):
        bits = plan.lanes * plan.bits
        found.append(Region("weights", len(plan.weights), plan.row_words, bits, False, True))
    for name, population in fixed.populations.items():
        for state, node in _read(population.lowered).items():
            words = -(-node.width // WORD)
            where = f"{name}.{state}"
            found.append(Region(where, population.count, words, node.width, node.signed, True))
    for name, cells in plan.spikes.items():
        found.append(Region(f"{name}/spikes", cells.words, 1, SPIKES_A_WORD, False, False))
    for name in plan.counted:
        count = fixed.populations[name].count
        found.append(Region(counts.where_of(name), count, 1, counts.BITS, False, False))
    return found


def _read(lowered: object) -> dict[str, Node]:
    """The registers that an update reads to make something else of them, and their nodes."""
    path, registers = lowered.path, lowered.registers  # type: ignore[attr-defined]
    made = [n for name, n in path.outputs.items() if n.op != "input" or n.meta != name]
    read = {n.meta: n for n in path.reachable(tuple(made)) if n.op == "input"}
    return {name: read[name] for name in registers if name in read}


class Memories:
    """What the rows of a network's memories stand for, in its own terms.

    Rows are int64 of shape (rows, words), 0 to 65,535, as they are read and written. What is of
    neurons is in their own order, whatever theirs in hardware.

    Parameters
    ----------
    fixed : FixedNetwork
    plan : Plan

    Attributes
    ----------
    regions : tuple of Region
    """

    def __init__(self, fixed: FixedNetwork, plan: Plan) -> None:
        self._fixed, self._plan = fixed, plan
        self.regions = regions(fixed, plan)
        self._numbers = {region.name: k for k, region in enumerate(self.regions)}

    def number(self, name: str) -> int:
        """The place of a region among them.

        Raises
        ------
        ValueError
            There is none of that name.
        """
        if name not in self._numbers:
            raise ValueError(
                f"{self._fixed.name} has no memory {name!r}; it has {', '.join(self._numbers)}"
            )
        return self._numbers[name]

    def region(self, name: str) -> Region:
        return self.regions[self.number(name)]

    # -- states and parameters -------------------------------------------------------------------
    def registers(self, name: str, rows: np.ndarray) -> np.ndarray:
        """The registers that rows of ``POPULATION.STATE`` are, int64 of shape (N,)."""
        region, order = self.region(name), self._order(name)
        found = np.empty(region.rows, dtype=np.int64)
        found[order] = _integers(region, rows)
        return found

    def of_registers(self, name: str, values: np.ndarray) -> np.ndarray:
        """The rows of registers, one or (N,).

        Raises
        ------
        TypeError, ValueError
            No integers, another number of them, or what a register cannot be.
        """
        region, order = self.region(name), self._order(name)
        population, state = name.rsplit(".", 1)
        r = self._fixed.populations[population].lowered.registers[state]
        array = np.asarray(values)
        if array.dtype.kind not in "iu":
            raise TypeError(f"{name}: registers must be integers")
        self._check_shape(name, array)
        if np.any((array < r.low) | (array > r.high)):
            raise ValueError(
                f"{name}: the register holds {r.low} to {r.high}, not {array.min()} to "
                f"{array.max()}"
            )
        return _rows(region, np.broadcast_to(array.astype(np.int64), region.rows)[order])

    def values(self, name: str, rows: np.ndarray) -> np.ndarray:
        """What rows of ``POPULATION.STATE`` stand for, in its unit, float of shape (N,)."""
        population, state = name.rsplit(".", 1)
        r = self._fixed.populations[population].lowered.registers[state]
        found: np.ndarray = r.to_real(self.registers(name, rows))
        return found

    def of_values(self, name: str, values: np.ndarray) -> np.ndarray:
        """The rows of what is nearest to values, one or (N,), in the unit of the state.

        Raises
        ------
        TypeError, ValueError
            As :meth:`of_registers`.
        """
        self._order(name)
        population, state = name.rsplit(".", 1)
        r = self._fixed.populations[population].lowered.registers[state]
        array = numbers(values, name)
        self._check_shape(name, array)
        integers = rounded(array, r.fraction)
        outside = np.argwhere((integers < r.low) | (integers > r.high))
        if len(outside):
            low, high = r.to_real(r.low), r.to_real(r.high)
            at = tuple(map(int, outside[0]))
            of = f"{name} of neuron {at[0]}" if at else name
            unit = self._fixed.network.layers[population].population.neuron.units.get(state, "")
            raise ValueError(
                f"{of} = {f'{array[at]:g} {unit}'.strip()} is outside the {low:g} to {high:g} it "
                "can reach"
            )
        return self.of_registers(name, integers.astype(np.int64))

    def _check_shape(self, name: str, array: np.ndarray) -> None:
        count = self.region(name).rows
        if array.shape not in ((), (count,)):
            raise ValueError(
                f"{name} has shape {array.shape}, and there {'are' if count > 1 else 'is'} {count} "
                f"neuron{'s' * (count > 1)}"
            )

    def row_of(self, name: str, neuron: int) -> int:
        """The row of ``POPULATION.STATE`` that a neuron has.

        Raises
        ------
        ValueError
            There is no such neuron.
        """
        order = self._order(name)
        if neuron not in range(len(order)):
            raise ValueError(f"{name} is of neurons 0 to {len(order) - 1}, not {neuron}")
        return int(np.flatnonzero(order == neuron)[0])

    def _order(self, name: str) -> np.ndarray:
        """The neurons of ``POPULATION.STATE`` in the order of their rows."""
        self.number(name)
        population, dot, _ = name.rpartition(".")
        if not dot or not self.region(name).writable:
            raise ValueError(f"{name} is no state of a population")
        order: np.ndarray = self._plan.places[population].order
        return order

    # -- spikes ----------------------------------------------------------------------------------
    def spikes(self, population: str, rows: np.ndarray) -> np.ndarray:
        """The spikes that rows of ``POPULATION/spikes`` are, bool of shape (N,)."""
        self.number(f"{population}/spikes")
        order = self._plan.places[population].order
        found = np.empty(len(order), dtype=bool)
        found[order] = unpacked(np.reshape(rows, (1, -1)), len(order))[0]
        return found

    # -- counts ----------------------------------------------------------------------------------
    def counts(self, population: str, rows: np.ndarray) -> np.ndarray:
        """The counts that rows of ``POPULATION/counts`` are, int64 of shape (N,)."""
        region = self.region(counts.where_of(population))
        found = np.empty(region.rows, dtype=np.int64)
        found[self._plan.places[population].order] = _integers(region, rows)
        return found

    # -- weights ---------------------------------------------------------------------------------
    def rows_of(self, projection: int) -> range:
        """The rows of ``weights`` that a projection, by its number in the network, has.

        Raises
        ------
        ValueError
            It has none: there is none of that number, or its source gives numbers.
        """
        if projection not in self._begins:
            raise ValueError(
                f"{self._fixed.name}: projection {projection} has no weights on a chip"
            )
        begin = self._begins[projection]
        return range(begin, begin + len(self._table(projection, self._synapses[projection])))

    def weights(self, projection: int, rows: np.ndarray) -> np.ndarray:
        """The integers of a projection, in the form of its map's weights, of its own rows.

        A weight that no synapse has is as it was.

        Raises
        ------
        ScneuroError
            Weights that cannot be told from what they add up to.
        """
        own, made = self._synapses[projection], self._plan
        fields = _apart(rows, made.lanes, made.bits)
        if own.amount is not None:  # words have no sign
            fields &= (1 << made.bits) - 1
        found = np.array(own.weights, dtype=np.int64)
        numbers = np.arange(1, found.size + 1, dtype=np.int64).reshape(found.shape)
        which = self._table(projection, replace(own, weights=numbers))
        squares = self._table(projection, replace(own, weights=numbers * numbers))
        single = (which > 0) & (squares == which * which)  # no sum of several
        found.reshape(-1)[which[single] - 1] = fields[single]
        again = self._table(projection, replace(own, weights=found))
        if np.any((again != fields) & (which > 0)):
            raise ScneuroError(
                f"{self._fixed.name}: {own.projection}: its synapses do not tell its weights",
                "each synapse must be one weight, and those that share one alike",
            )
        return found

    def of_weights(self, projection: int, weights: np.ndarray) -> np.ndarray:
        """The rows of a projection with other integers, in the form of its map's weights.

        Raises
        ------
        TypeError, ValueError
            No integers, another shape, or more than its bits hold.
        ScneuroError
            Together, they may be more than the hardware's sums hold.
        """
        self.rows_of(projection)
        own = self._synapses[projection]
        made = replace(own, weights=own.checked(weights))
        where = f"{self._fixed.name}: {own.projection}"
        table = self._table(projection, made)
        if beyond(table, own.projection):
            raise ValueError(
                f"{where}: weights that meet in a synapse add up to more than "
                f"{own.projection.bits} bits"
            )
        most = own.largest(self._fixed.network) + self._room(own)
        if made.largest(self._fixed.network) > most:
            raise ScneuroError(
                f"{where}: with these weights a sum may be beyond the bits that its hardware has",
                "use smaller ones, or build it with these",
            )
        return _together(table, self._plan.bits)

    def _room(self, synapses: Synapses) -> int:
        """By how much the largest sum of a projection may grow, whatever others do."""
        p, made = synapses.projection, self._plan
        total = self._fixed.totals[p.target, p.to]
        have, need = made.widths[made.totals[p.target, p.to].port], total.needs
        return ((1 << (have - 1)) - 1 - need) // len(total.synapses)

    @cached_property
    def _synapses(self) -> dict[int, Synapses]:
        """By number of the projection."""
        numbers = {p: k for k, p in enumerate(self._fixed.network.projections)}
        totals = self._fixed.totals.values()
        return {numbers[s.projection]: s for total in totals for s in total.synapses}

    @cached_property
    def _begins(self) -> dict[int, int]:
        works = [work for _, works in self._plan.order for work in works]
        return {w.projection: w.weights for w in works if isinstance(w, Deliver)}

    def _table(self, projection: int, synapses: Synapses) -> np.ndarray:
        """A projection's weights as they lie in rows, (rows, lanes)."""
        return table_of(self._fixed, synapses, self._plan.places)[0]


def _integers(region: Region, rows: np.ndarray) -> np.ndarray:
    """A number of each row."""
    words = np.asarray(rows, dtype=np.int64).reshape(-1, region.words)
    if len(words) != region.rows:
        raise ValueError(f"{region.name} has {region.rows} rows, not {len(words)}")
    found = words @ (1 << (WORD * np.arange(region.words, dtype=np.int64)))
    found &= (1 << region.bits) - 1
    if region.signed:
        found -= (found >> (region.bits - 1)) << region.bits
    return np.asarray(found)


def _rows(region: Region, values: np.ndarray) -> np.ndarray:
    """The words of a number in each row."""
    shifts = WORD * np.arange(region.words, dtype=np.int64)
    found: np.ndarray = (values[:, None] >> shifts) & 0xFFFF
    return found


def _together(fields: np.ndarray, bits: int) -> np.ndarray:
    """Fields (rows, lanes) as words (rows, words), the first one lowest."""
    lanes = fields.shape[1]
    whole = np.zeros((len(fields), -(-lanes * bits // WORD) * WORD), dtype=np.int64)
    each = (fields[:, :, None] >> np.arange(bits)) & 1
    whole[:, : lanes * bits] = each.reshape(len(fields), -1)
    found: np.ndarray = whole.reshape(len(fields), -1, WORD) @ (1 << np.arange(WORD))
    return found


def _apart(rows: np.ndarray, lanes: int, bits: int) -> np.ndarray:
    """The signed fields of words (rows, words), shape (rows, lanes)."""
    each = (np.asarray(rows, dtype=np.int64)[:, :, None] >> np.arange(WORD)) & 1
    flat = each.reshape(len(rows), -1)[:, : lanes * bits].reshape(len(rows), lanes, bits)
    weights = 1 << np.arange(bits, dtype=np.int64)
    weights[-1] = -weights[-1]
    found: np.ndarray = flat @ weights
    return found
