"""What a population keeps in memories, and whether a device has them."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from ..compiler.pipeline.cells import Pipeline, pipeline
from ..compiler.pipeline.form import Form
from ..errors import DoesNotFit
from ..population import FixedPopulation
from ..words import WORD_BITS
from .devices import Device
from .families import Family
from .table import Board

__all__ = [
    "Stored",
    "blocks",
    "check_memory",
    "in_blocks",
    "network_form",
    "pipeline_memories",
    "single_blocks",
    "stored",
    "stored_form",
]

_SPIKES = "spikes"
_QUEUE = 256  # rows whose spikes may wait
_SINGLE = (16, 16_384)  # width and depth of a memory of one port
_SHARED = 64  # bits up to which a memory is made of logic
_MOST_WAITS = 16  # block RAMs that long delays of one lane may use


@dataclass(frozen=True)
class Stored:
    """Memories of one kind.

    Attributes
    ----------
    what : str
    width, depth : int
        Bits of a word, and words.
    copies : int
    per_row : bool
        It has a word for each row of neurons.
    single : bool
        It has one port, and is no block RAM.
    block : bool
        It is a block RAM, however small it is.
    """

    what: str
    width: int
    depth: int
    copies: int
    per_row: bool = False
    single: bool = False
    block: bool = False

    @property
    def bits(self) -> int:
        return self.width * self.depth * self.copies

    def of_rows(self, rows: int, lanes: int) -> Stored:
        """What it would be for another number of rows."""
        if self.what == _SPIKES:
            return replace(self, width=_spike_bits(rows, lanes))
        return replace(self, depth=rows) if self.per_row else self


def stored(population: FixedPopulation, pipe: Pipeline) -> list[Stored]:
    """All memories of a population's hardware."""
    lanes = population.population.lanes
    rows = -(-population.count // lanes)
    reads, registers = pipe.reads, population.lowered.registers
    found = [
        Stored(
            name,
            cell.node.width,
            rows,
            lanes,
            per_row=True,
            single=pipe.form.single and name in pipe.outputs,
        )
        for name, cell in reads.items()
        if name in registers
    ]
    found += [
        Stored(f"input {name}", WORD_BITS, rows, 2 * lanes, per_row=True)
        for name in population.lowered.inputs
        if name in reads
    ]
    found += [
        Stored(f"table {name}", node.width, len(node.meta), lanes)
        for name, node in pipe.memories.items()
    ]
    found += [
        Stored(f"delay of {cell.name}", cell.node.width, pipe.inside(wait), lanes, block=True)
        for wait in pipe.waits
        for cell in [pipe.cells[wait.port]]
    ]
    return [*found, Stored(_SPIKES, _spike_bits(rows, lanes), _QUEUE, 1, block=True)]


def pipeline_memories(
    pipe: Pipeline, registers: Container[str], rows: int, name: str
) -> list[Stored]:
    """The states, tables and delays of a population within a network."""
    found = [
        Stored(f"{name}.{state}", cell.node.width, rows, 1, per_row=True)
        for state, cell in pipe.reads.items()
        if state in registers
    ]
    found += [
        Stored(f"table {table}", node.width, len(node.meta), 1)
        for table, node in pipe.memories.items()
    ]
    return found + [
        Stored(f"delay of {cell.name}", cell.node.width, pipe.inside(wait), 1, block=True)
        for wait in pipe.waits
        for cell in [pipe.cells[wait.port]]
    ]


def _spike_bits(rows: int, lanes: int) -> int:
    """Of what waits to be sent: a row, a flag for each lane, and whether a step ends."""
    return max(1, (rows - 1).bit_length()) + lanes + 1


def blocks(family: Family, memory: Stored) -> int:
    """The block RAMs that memories of one kind take, each in the shape that takes fewest."""
    if memory.single or (not memory.block and memory.width * memory.depth <= _SHARED):
        return 0
    return memory.copies * min(
        -(-memory.width // width) * -(-memory.depth // depth) for width, depth in family.ram_shapes
    )


def single_blocks(memory: Stored) -> int:
    """The memories of one port that memories of one kind take."""
    if not memory.single:
        return 0
    return memory.copies * -(-memory.width // _SINGLE[0]) * -(-memory.depth // _SINGLE[1])


def _taken(population: FixedPopulation, part: Device, form: Form) -> int:
    pipe = pipeline(population.lowered, form)
    return sum(blocks(part.family, memory) for memory in stored(population, pipe))


def stored_form(population: FixedPopulation, part: Device) -> Form:
    """The form of a population's datapath on a device: its DSPs and spare RAMs shared by lanes."""
    owner = population.population
    form = Form(
        interval=owner.interval,
        multipliers=part.dsps // owner.lanes,
        stored=True,
        deep=part.deep,
        complements=part.family.complements,
    )
    spare = (part.rams - _taken(population, part, form)) // owner.lanes
    if spare < 0 and form.folds:
        joint = replace(form, joint=True)
        left = (part.rams - _taken(population, part, joint)) // owner.lanes
        if left > spare:
            form, spare = joint, left
    if spare < 0 and part.sprams and owner.interval > 1 and population.is_uniform:
        form = replace(form, single=True)
        spare = (part.rams - _taken(population, part, form)) // owner.lanes
    return replace(form, rams=max(0, min(spare, _MOST_WAITS)))


def network_form(part: Device) -> Form:
    """The form of the datapaths of a network's populations on a device."""
    return Form(
        multipliers=part.dsps,
        stored=True,
        deep=part.deep,
        complements=part.family.complements,
    )


def check_memory(population: FixedPopulation, board: Board, form: Form) -> list[Stored]:
    """The memories of a population, if a board's device has as many.

    Raises
    ------
    DoesNotFit
        It has not; the message says what would fit.
    """
    part = board.part
    pipe = pipeline(population.lowered, form)
    memories = stored(population, pipe)
    taken = {memory.what: blocks(part.family, memory) for memory in memories}
    total = sum(taken.values())
    singles = sum(map(single_blocks, memories))
    if total <= part.rams and singles <= part.sprams:
        return memories
    lanes = population.population.lanes

    def fit(rows: int) -> bool:
        sized = [memory.of_rows(rows, lanes) for memory in memories]
        in_rams = sum(blocks(part.family, memory) for memory in sized)
        return in_rams <= part.rams and sum(map(single_blocks, sized)) <= part.sprams

    low, high = 0, 1
    while fit(high):
        low, high = high, 2 * high
    while high - low > 1:  # the most rows that fit
        middle = (low + high) // 2
        low, high = (middle, high) if fit(middle) else (low, middle)
    costs = ", ".join(f"{what} {count}" for what, count in taken.items() if count)
    hint = (
        f"up to {low * lanes:,} neurons would fit"
        if low
        else "its tables take too many: fewer lanes, or a larger --budget"
    )
    if part.sprams and not form.single and population.is_uniform:
        hint += f"; with --interval 2, states go to its {part.sprams} SPRAMs, which hold more"
    raise DoesNotFit(
        f"{population.count:,} {population.name} take {total} block RAMs ({costs}), and "
        f"{part.title} has {part.rams}",
        hint,
    )


def in_blocks(population: FixedPopulation, board: Board) -> str:
    """What a population's memories take on a board, in words.

    Raises
    ------
    ToolError
        As :func:`check_memory`.
    """
    form = stored_form(population, board.part)
    memories = check_memory(population, board, form)
    family = board.part.family
    total = sum(blocks(family, memory) for memory in memories)
    bits = sum(memory.bits for memory in memories)
    return (
        f"{bits:,} bits in {total} of {board.part.rams} block RAMs for {population.count:,} "
        f"{population.name}"
    )
