"""How a network lies in memories, and what is done in a time step: plain data, before any gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..compiler.pipeline.form import Form
from ..compiler.pipeline.schedule import schedule
from ..errors import ScneuroError
from .grid import Grid, Loop, Places, grid, places
from .maps import Drawn

if TYPE_CHECKING:
    from ..stochastic.projection import Stochastic
    from ..stochastic.sources import Source
    from .fixed import FixedNetwork, Synapses
    from .network import Projection

__all__ = [
    "ALL_LANES",
    "LANES",
    "Add",
    "Cells",
    "Deliver",
    "Frame",
    "Plan",
    "Totals",
    "beyond",
    "frames_of",
    "loads_of",
    "most_clocks",
    "packed",
    "plan",
    "table_of",
    "unpacked",
]

SPIKES_A_WORD = 16
#: Weights that are added in a clock, where nothing else is said.
LANES = 8
#: Of those, what there may be.
ALL_LANES = tuple(1 << k for k in range(7))
#: Clocks from a row of sums being read to its being written, and from its being fetched to words.
WRITTEN, AHEAD = 3, 3
#: Of a control word: the step begins anew; or what follows is a row of weights.
RESTART, LOAD = 1, 2
_MOST_SYNAPSES = 1 << 24


@dataclass(frozen=True)
class Cells:
    """Spikes of a node in a memory of 16-bit words, a bit each.

    Attributes
    ----------
    base, words : int
        Its words in a slot; each time step has a slot.
    """

    base: int
    words: int


@dataclass(frozen=True)
class Frame:
    """What comes in for an input in each step, in 16-bit words, behind the control word.

    Attributes
    ----------
    name : str
        Of the input.
    base, words : int
    plane : int
        Spikes: the bit of the counts that these are. Currents: -1.
    projection : int or None
        Of currents, which one they are for.
    """

    name: str
    base: int
    words: int
    plane: int
    projection: int | None = None


@dataclass(frozen=True)
class Totals:
    """The sums of an input of a population.

    Attributes
    ----------
    port : int
        Which input of its neurons.
    base, rows : int
        Its rows in the memory of that port.
    drop : int
        Fraction bits of a sum that the word has not.
    """

    port: int
    base: int
    rows: int
    drop: int


@dataclass(frozen=True)
class Deliver:
    """Every spike of a node adds its row of weights.

    Attributes
    ----------
    projection : int
    inside : bool
        Whether the source is a population, not an input.
    base, words : int
        Where its spikes are, as in :class:`Cells`.
    delay : int
    weights : int
        The first row of weights.
    rows : int
        Of a spike, in the memory of weights and in that of sums.
    totals : Totals
    shift : int
        Place in :attr:`Plan.shifts`.
    loop : Loop or None
        Of a convolution, how a spike goes through its rows.
    source : int
        The place of its first source: of a convolution in :attr:`Plan.sources`, of a stochastic
        projection in :attr:`Plan.registers`.
    amount : int or None
        Of a stochastic projection, place in :attr:`Plan.amounts`.
    """

    projection: int
    inside: bool
    base: int
    words: int
    delay: int
    weights: int
    rows: int
    totals: Totals
    shift: int
    loop: Loop | None = None
    source: int = 0
    amount: int | None = None

    @property
    def most(self) -> int:
        """Rows that a spike goes through, at most."""
        return self.rows if self.loop is None else self.loop.most


@dataclass(frozen=True)
class Add:
    """Currents are added, each to its neuron's sum.

    Attributes
    ----------
    projection : int
    base, words : int
        Where they are.
    totals : Totals
    shift : int
    """

    projection: int
    base: int
    words: int
    totals: Totals
    shift: int


@dataclass(frozen=True)
class Plan:
    """A network as memories and the order of a time step.

    Attributes
    ----------
    lanes : int
        Weights that are added in a clock.
    bits : int
        Of a weight.
    weights : ndarray of int64, shape (rows, lanes)
    shifts : tuple of int
        By how many bits weights or currents are shifted before they are added.
    widths : tuple of int
        Bits of the sums, by port.
    bases : tuple of ndarray of int64, shape (rows, lanes)
        What sums begin with, by port.
    order : tuple of (str, tuple of (Deliver or Add))
        The populations in turn, and what is done before each.
    totals : dict of (str, str) to Totals
    spikes : dict of str to Cells
        Of the populations.
    slots, input_slots : int
        Steps that are kept of populations' spikes and of frames, powers of two.
    delay : int
        The longest of an input.
    frames : tuple of Frame
        In the order in which they come in.
    outputs : tuple of str
        The populations whose spikes leave in every step, in order.
    places : dict of str to Places
    sources : ndarray of int64, shape (sources, 4)
        Of convolutions: first rows of weights and sums, steps across and down.
    counted : tuple of str
        The populations whose spikes are counted, in order.
    amounts : tuple of int
        What products of stochastic projections add.
    draws : tuple of Stochastic
        Whose registers there are, each different register once.
    registers : ndarray of int64, shape (sources,)
        Of stochastic projections, the register of each source, in the order of ``draws``.
    """

    lanes: int
    bits: int
    weights: np.ndarray
    shifts: tuple[int, ...]
    widths: tuple[int, ...]
    bases: tuple[np.ndarray, ...]
    order: tuple[tuple[str, tuple[Deliver | Add, ...]], ...]
    totals: dict[tuple[str, str], Totals]
    spikes: dict[str, Cells]
    slots: int
    input_slots: int
    delay: int
    frames: tuple[Frame, ...]
    outputs: tuple[str, ...]
    places: dict[str, Places]
    sources: np.ndarray
    counted: tuple[str, ...] = ()
    amounts: tuple[int, ...] = ()
    draws: tuple[Stochastic, ...] = ()
    registers: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def frame_words(self) -> int:
        """16-bit words that come in for a step, with the control word."""
        return 1 + sum(frame.words for frame in self.frames)

    @property
    def row_words(self) -> int:
        """16-bit words of a row of weights."""
        return -(-self.lanes * self.bits // 16)

    @property
    def spike_words(self) -> int:
        """16-bit words of the populations' spikes, a step."""
        return sum(cells.words for cells in self.spikes.values())

    @property
    def output_words(self) -> int:
        """16-bit words that leave in a step."""
        return sum(self.spikes[name].words for name in self.outputs)


def plan(fixed: FixedNetwork, lanes: int = LANES) -> Plan:
    """Lay a network out.

    Parameters
    ----------
    fixed : FixedNetwork
    lanes : int
        Weights that are added in a clock, a power of two.

    Raises
    ------
    ValueError
        Lanes that are no power of two from 1 to 64.
    ScneuroError
        More synapses than any memory holds.
    """
    if isinstance(lanes, bool) or not isinstance(lanes, int) or lanes not in ALL_LANES:
        raise ValueError(f"lanes must be a power of two from 1 to 64, not {lanes!r}")
    network = fixed.network
    currents = {p.target for p in network.projections if fixed.is_current(p)}
    where = {
        name: places(
            network,
            name,
            lanes,
            ordered=name in currents or bool(fixed.populations[name].lowered.noise),
        )
        for name in network.layers
    }
    totals, widths, bases = _sums(fixed, where)
    numbers = {p: k for k, p in enumerate(network.projections)}
    synapses: dict[int, Synapses] = {
        numbers[s.projection]: s for total in fixed.totals.values() for s in total.synapses
    }
    parts: list[np.ndarray] = []
    begins: dict[int, tuple[int, int]] = {}
    grids: dict[int, Grid] = {}
    for k, s in synapses.items():
        table, rows, made = table_of(fixed, s, where)
        if made is not None:
            grids[k] = made
        elif beyond(table, s.projection):
            raise ScneuroError(
                f"{fixed.name}: {s.projection}: weights that meet in a synapse add up to more than "
                f"{s.projection.bits} bits",
                "give it more bits: connect(..., bits=...)",
            )
        begins[k] = sum(map(len, parts)), rows
        parts.append(table)
    firsts, count = {}, 0
    for k, found in grids.items():
        firsts[k], count = count, count + len(found.sources)
    weights = np.concatenate(parts) if parts else np.zeros((1, lanes), dtype=np.int64)
    frames = _frames(fixed)
    spikes: dict[str, Cells] = {}
    base = 0
    for name, layer in network.layers.items():
        words = -(-layer.count // SPIKES_A_WORD)
        spikes[name] = Cells(base, words)
        base += words
    shifts: list[int] = []
    amounts: list[int] = []

    def shifted(by: int) -> int:
        return _place(shifts, by)

    draws, registers, drawn = _draws(fixed, where, synapses)
    order = []
    for name in network.order:
        work: list[Deliver | Add] = []
        for p in network.into(name):
            k, at = numbers[p], totals[name, p.to]
            if k not in synapses:
                (frame,) = (f for f in frames if f.projection == k)
                work.append(Add(k, frame.base, frame.words, at, shifted(at.drop)))
                continue
            first, rows = begins[k]
            shift, amount = synapses[k].shift, synapses[k].amount
            loop = grids[k].loop if k in grids else None
            inside = p.source in network.layers
            for cells, plane in _cells(p.source, spikes, frames):
                by = shift + plane
                adds = shifted(by) if amount is None else 0
                into = inside, cells.base, cells.words, p.delay, first, rows, at, adds
                if amount is None:
                    work.append(Deliver(k, *into, loop, firsts.get(k, 0)))
                else:
                    work.append(Deliver(k, *into, None, drawn[k], _place(amounts, amount << by)))
        order.append((name, tuple(work)))
    most = max((p.delay for p in network.projections if p.source in network.layers), default=0)
    earlier = max((p.delay for p in network.projections if p.source in network.inputs), default=0)
    return Plan(
        lanes,
        max((s.projection.bits for s in synapses.values()), default=2),
        weights,
        tuple(shifts) or (0,),
        widths,
        bases,
        tuple(order),
        totals,
        spikes,
        _power(most + 1),
        _power(earlier + 2),
        earlier,
        frames,
        tuple(network.sent),
        where,
        _sources(fixed, where, grids),
        tuple(network.counted),
        tuple(amounts),
        draws,
        registers,
    )


def _place(values: list[int], value: int) -> int:
    """Where a value is, behind the others if it is new."""
    if value not in values:
        values.append(value)
    return values.index(value)


def _cells(
    source: str, spikes: Mapping[str, Cells], frames: Sequence[Frame]
) -> list[tuple[Cells, int]]:
    """Where the spikes of a node are, and which bit of their counts these are."""
    if source in spikes:
        return [(spikes[source], 0)]
    return [(Cells(f.base, f.words), f.plane) for f in frames if f.name == source]


def _draws(
    fixed: FixedNetwork, where: Mapping[str, Places], synapses: Mapping[int, Synapses]
) -> tuple[tuple[Stochastic, ...], np.ndarray, dict[int, int]]:
    """Whose registers there are, that of each source as its spikes come, and each first one."""
    made: dict[tuple[Source, ...], Stochastic] = {}
    begins: dict[tuple[Source, ...], int] = {}
    parts = [np.zeros(0, dtype=np.int64)]
    firsts: dict[int, int] = {}
    for k, s in synapses.items():
        if not isinstance(s.projection.map, Drawn):
            continue
        own = s.projection.map.stochastic
        different = tuple(dict.fromkeys(own.sources))
        if different not in made:
            begins[different] = sum(map(len, made))
            made[different] = own
        of = np.array([begins[different] + different.index(source) for source in own.sources])
        at = where.get(s.projection.source)
        firsts[k] = sum(map(len, parts))
        parts.append(of if at is None else of[at.order])
    return tuple(made.values()), np.concatenate(parts), firsts


def _sources(fixed: FixedNetwork, where: dict[str, Places], grids: dict[int, Grid]) -> np.ndarray:
    """The sources of convolutions in the order in which their spikes come."""
    parts = [np.zeros((0, 4), dtype=np.int64)]
    for k, made in grids.items():
        at = where.get(fixed.network.projections[k].source)
        parts.append(made.sources if at is None else made.sources[at.order])
    return np.concatenate(parts)


def _power(count: int) -> int:
    return 1 << (count - 1).bit_length()


def _sums(
    fixed: FixedNetwork, where: dict[str, Places]
) -> tuple[dict[tuple[str, str], Totals], tuple[int, ...], tuple[np.ndarray, ...]]:
    """Where sums lie, how wide they are and what they begin with, by port."""
    totals: dict[tuple[str, str], Totals] = {}
    widths: list[int] = []
    bases: list[list[np.ndarray]] = []
    for name, layer in fixed.network.layers.items():
        at = where[name]
        for port, to in enumerate(layer.population.input_defaults):
            total = fixed.totals[name, to]
            if port == len(widths):
                widths.append(0)
                bases.append([])
            totals[name, to] = Totals(port, sum(map(len, bases[port])), at.rows, total.drop)
            widths[port] = max(widths[port], total.width)
            begin = np.zeros((at.rows, at.lanes), dtype=np.int64)
            begin[at.row, at.lane] = total.base
            bases[port].append(begin)
    return totals, tuple(widths), tuple(np.concatenate(b) for b in bases)


def table_of(
    fixed: FixedNetwork, synapses: Synapses, where: Mapping[str, Places]
) -> tuple[np.ndarray, int, Grid | None]:
    """The weights of a projection in rows of memory.

    Parameters
    ----------
    fixed : FixedNetwork
    synapses : Synapses
    where : mapping of str to Places

    Returns
    -------
    table : ndarray of int64, shape (rows, lanes)
    rows : int
        That a spike has one after the other.
    grid : Grid or None
        Of a convolution.

    Raises
    ------
    ScneuroError
        More synapses than any memory holds.
    """
    p = synapses.projection
    at = where[p.target]
    looped = grid(fixed.network, synapses, at)
    if looped is not None:
        return looped.weights, looped.loop.rows, looped
    source = fixed.network.nodes[p.source]
    rows, lanes = at.rows, at.lanes
    if source.count * rows * lanes > _MOST_SYNAPSES:
        raise ScneuroError(
            f"{fixed.name}: {p} would take {source.count * rows * lanes:,} weights in memory",
            f"{_MOST_SYNAPSES:,} are the most; use smaller populations",
        )
    table = np.zeros((source.count, rows, lanes), dtype=np.int64)
    target, come, values = p.map.synapses(source.shape, synapses.weights)
    table[come, at.row[target], at.lane[target]] = values.astype(np.int64)
    if p.source in where:  # as they come
        table = table[where[p.source].order]
    return table.reshape(-1, lanes), rows, None


def beyond(table: np.ndarray, projection: Projection) -> bool:
    """Whether numbers in memory are beyond what a weight of a projection may be."""
    least, most = projection.map.limits(projection.bits)
    return bool(np.any((table < least) | (table > most)))


def _frames(fixed: FixedNetwork) -> tuple[Frame, ...]:
    """What comes in for a step, in order."""
    network = fixed.network
    found: list[Frame] = []

    def add(name: str, words: int, plane: int, projection: int | None = None) -> None:
        base = 1 + sum(frame.words for frame in found)
        found.append(Frame(name, base, words, plane, projection))

    for name, source in network.inputs.items():
        if source.kind == "current":
            for k, p in enumerate(network.projections):
                if p.source == name:
                    add(name, network.layers[p.target].count, -1, k)
        else:
            for plane in range(source.most.bit_length()):
                add(name, -(-source.count // SPIKES_A_WORD), plane)
    return tuple(found)


def frames_of(
    fixed: FixedNetwork,
    made: Plan,
    given: dict[str, np.ndarray],
    restarts: np.ndarray | None = None,
) -> np.ndarray:
    """The words that come in for every step, int64 of shape (T, frame_words), 0 to 65,535.

    Parameters
    ----------
    fixed : FixedNetwork
    made : Plan
    given : dict of str to ndarray, shape (T, *shape)
        Inputs, as they were checked.
    restarts : ndarray, shape (T,), optional
        The steps that begin anew.
    """
    steps = len(next(iter(given.values())))
    words = np.zeros((steps, made.frame_words), dtype=np.int64)
    if restarts is not None:
        words[:, 0] = np.where(restarts, RESTART, 0)
    for frame in made.frames:
        values = given[frame.name]
        at = slice(frame.base, frame.base + frame.words)
        if frame.projection is not None:
            p = fixed.network.projections[frame.projection]
            own = fixed.populations[p.target].lowered.input_words[p.to].fraction
            words[:, at] = fixed.currents(p, values, own) & 0xFFFF
        else:
            flat = values.reshape(steps, -1).astype(np.int64)
            words[:, at] = packed((flat >> frame.plane) & 1)
    return words


def most_clocks(fixed: FixedNetwork, made: Plan, form: Form) -> dict[str, int]:
    """The most clocks of a step, by population and for what comes in and leaves (``words``).

    That is if every neuron fires in it, and words come and leave as soon as they may.
    """
    network = fixed.network
    found = {"words": made.frame_words + 2 * made.output_words + 8}
    for name, work in made.order:
        count, lowered = network.layers[name].count, fixed.populations[name].lowered
        latency = schedule(lowered, form).latency + 1
        # it is updated, and its states were started again
        clocks = count * form.interval + latency + AHEAD + count + 12
        for each in work:
            if isinstance(each, Add):
                clocks += 5 * each.words + 8
            else:
                source = network.nodes[network.projections[each.projection].source]
                of_one = each.most + 6 if each.loop else max(each.rows, WRITTEN + 1)
                clocks += each.words + source.count * of_one + 16
        found[name] = clocks
    return found


def loads_of(made: Plan) -> np.ndarray:
    """The words that load all weights, int64: a control word, the row and its words, row by row."""
    rows = len(made.weights)
    fields = made.weights & ((1 << made.bits) - 1)
    bits = (fields[:, :, None] >> np.arange(made.bits)) & 1
    words = packed(bits.reshape(rows, -1))
    control = np.full((rows, 1), LOAD, dtype=np.int64)
    found: np.ndarray = np.hstack([control, np.arange(rows)[:, None], words])
    return found


def packed(spikes: np.ndarray) -> np.ndarray:
    """Spikes (T, N) as words of 16, the first one lowest."""
    steps, count = spikes.shape
    whole = np.zeros((steps, -(-count // SPIKES_A_WORD) * SPIKES_A_WORD), dtype=np.int64)
    whole[:, :count] = spikes
    weights = 1 << np.arange(SPIKES_A_WORD)
    found: np.ndarray = whole.reshape(steps, -1, SPIKES_A_WORD) @ weights
    return found


def unpacked(words: np.ndarray, count: int) -> np.ndarray:
    """The spikes in words of 16, bool of shape (T, count)."""
    bits = (words[..., None] >> np.arange(SPIKES_A_WORD)) & 1
    found: np.ndarray = bits.reshape(len(words), -1)[:, :count].astype(bool)
    return found
