"""What a population keeps in memories, and whether a device has them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..compiler.pipeline.cells import Pipeline, pipeline
from ..compiler.pipeline.form import Form
from ..errors import DoesNotFit
from ..population import FixedPopulation
from ..words import WORD_BITS
from .devices import Device
from .families import Family
from .table import Board

__all__ = ["Stored", "blocks", "check_memory", "in_blocks", "stored", "stored_form"]

_QUEUE = 256  # rows whose spikes may wait
_SHARED = 64  # bits below which a memory is made of logic
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
    """

    what: str
    width: int
    depth: int
    copies: int

    @property
    def bits(self) -> int:
        return self.width * self.depth * self.copies


def stored(population: FixedPopulation, pipe: Pipeline) -> list[Stored]:
    """All memories of a population's hardware."""
    lanes = population.population.lanes
    rows = -(-population.count // lanes)
    reads, registers = pipe.reads, population.lowered.registers
    found = [
        Stored(name, cell.node.width, rows, lanes)
        for name, cell in reads.items()
        if name in registers
    ]
    found += [
        Stored(f"input {name}", WORD_BITS, rows, 2 * lanes)
        for name in population.lowered.inputs
        if name in reads
    ]
    found += [
        Stored(f"table {name}", node.width, len(node.meta), lanes)
        for name, node in pipe.memories.items()
    ]
    found += [
        Stored(f"delay of {cell.name}", cell.node.width, wait.clocks, lanes)
        for wait in pipe.waits
        for cell in [pipe.cells[wait.port]]
    ]
    row_bits = max(1, (rows - 1).bit_length())
    return [*found, Stored("spikes", row_bits + lanes + 1, _QUEUE, 1)]


def blocks(family: Family, memory: Stored) -> int:
    """The block RAMs that memories of one kind take, each in the shape that takes fewest."""
    if memory.width * memory.depth <= _SHARED:
        return 0
    return memory.copies * min(
        -(-memory.width // width) * -(-memory.depth // depth) for width, depth in family.ram_shapes
    )


def _taken(population: FixedPopulation, part: Device, form: Form) -> int:
    pipe = pipeline(population.lowered, form)
    return sum(blocks(part.family, memory) for memory in stored(population, pipe))


def stored_form(population: FixedPopulation, part: Device) -> Form:
    """The form of a population's datapath on a device: its DSPs and spare RAMs shared by lanes."""
    owner = population.population
    form = Form(interval=owner.interval, stored=True, multipliers=part.dsps // owner.lanes, rams=0)
    spare = (part.rams - _taken(population, part, form)) // owner.lanes
    return replace(form, rams=max(0, min(spare, _MOST_WAITS)))


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
    if total <= part.rams:
        return memories
    lanes = population.population.lanes
    fixed_part = sum(
        taken[m.what] for m in memories if m.what.startswith(("table", "delay", "spikes"))
    )
    for_rows = [m for m in memories if not m.what.startswith(("table", "delay", "spikes"))]
    fits, rows = 0, 1
    while rows <= 1 << 20:
        need = fixed_part + sum(blocks(part.family, replace(m, depth=rows)) for m in for_rows)
        if need > part.rams:
            break
        fits, rows = rows * lanes, rows * 2
    low, high = fits // lanes, rows
    while high - low > 1:  # the most rows that fit
        middle = (low + high) // 2
        need = fixed_part + sum(blocks(part.family, replace(m, depth=middle)) for m in for_rows)
        low, high = (middle, high) if need <= part.rams else (low, middle)
    costs = ", ".join(f"{what} {count}" for what, count in taken.items() if count)
    hint = (
        f"up to {low * lanes:,} neurons would fit"
        if low
        else f"its tables take {fixed_part}: fewer lanes, or a larger --budget"
    )
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
