"""The program of a neuron: its instructions in order, and what the memory has at first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...errors import LoweringError
from ..datapath import width_of
from ..lowered import Lowered
from .blocks import THERE, Block, Blocks, Word, blocks
from .digits import DIGIT, digits
from .instructions import APART, AROUND, OPERATION, Op

__all__ = ["Instruction", "Microcode", "microcode"]

_MOST = 1 << DIGIT  # grains of words that a pointer reaches
_GRAINS = (1, 16)

Instruction = tuple[Op, int]
"""What is done, and the address it is done with."""


@dataclass(frozen=True)
class Microcode:
    """A datapath as a program.

    Attributes
    ----------
    lowered : Lowered
    code : tuple of (Op, int)
        Those of a step, which ends with ``END``; then those that begin anew, from ``begin`` on,
        which end with ``REST``.
    begin : int
    memory : tuple of int
        The words at first: inputs, states, what a step computes, constants, where tables begin;
        then the tables, which only the pointer reaches.
    named : int
        How many words there are before the tables.
    grain : int
        Tables begin at multiples of it, and what says where counts in it.
    externals : tuple of str
        The inputs and draws, which ``TAKE`` puts at addresses 0, 1, ...
    states : dict of str to tuple of int
        Where the digits of every state lie, the lowest first.
    tables : dict of int to tuple of int
        By the address of the word that says where a table begins, what it holds.
    accumulator : int
        Bits of the accumulator.
    kept, leaving : dict of int to tuple of int
        By the index of a node of the datapath, where the digits of its value lie, of those whose
        value is kept: of the step, and of what makes the word that leaves from the new states. A
        digit that nothing takes is at -1.
    """

    lowered: Lowered = field(repr=False)
    code: tuple[Instruction, ...] = field(repr=False)
    begin: int
    memory: tuple[int, ...] = field(repr=False)
    named: int
    grain: int
    externals: tuple[str, ...]
    states: dict[str, tuple[int, ...]]
    tables: dict[int, tuple[int, ...]] = field(repr=False)
    accumulator: int
    kept: dict[int, tuple[int, ...]] = field(repr=False)
    leaving: dict[int, tuple[int, ...]] = field(repr=False)

    @property
    def address(self) -> int:
        """Bits of an instruction's address."""
        return max(1, (self.named - 1).bit_length())

    @property
    def pointer(self) -> int:
        """Bits of the pointer, which reaches all words."""
        return max(1, (len(self.memory) - 1).bit_length())

    @property
    def clocks(self) -> int:
        """From an input to its result."""
        return self.begin + AROUND

    @property
    def width(self) -> int:
        """Bits of an instruction."""
        return OPERATION + self.address

    @property
    def words(self) -> list[int]:
        """The instructions as the hardware has them."""
        return [address << OPERATION | op for op, address in self.code]


def microcode(lowered: Lowered) -> Microcode:
    """The program of a lowered neuron.

    Raises
    ------
    LoweringError
        If it takes more words than a pointer reaches.
    """
    for grain in _GRAINS:
        made = blocks(lowered, grain)
        if sum(map(len, made.tables.values())) < _MOST // 2:
            break
    registers = lowered.registers
    initial = {
        name: [Word(f"{name}_at_first", d) for d in digits(registers[name].init, len(words))]
        for name, words in made.states.items()
    }
    step = _ordered(made)
    anew: list[tuple[Op, Word | None]] = []
    one = next(w for block in made.then for w in block.reads if w.value == 1)
    for name, words in made.states.items():
        for word, first in zip(words, initial[name], strict=True):
            anew += [(Op.LOAD, one), (Op.FIRST, first), (Op.LAST, word)]
    places, memory = _placed(made, [*step, *anew])
    bits = max(_widest((*made.first, *made.then)), DIGIT + 1)

    def linked(found: list[tuple[Op, Word | None]]) -> Iterator[Instruction]:
        for op, word in found:
            yield op, 0 if word is None else places[word]

    code = [*linked(step), (Op.END, 0), *linked(anew), (Op.REST, 0)]
    tables = {places[at]: rows for at, rows in made.tables.items()}
    return Microcode(
        lowered,
        tuple(code),
        len(step) + 1,
        tuple(memory),
        max(places.values()) + 1,
        made.grain,
        made.externals,
        {name: tuple(places[word] for word in words) for name, words in made.states.items()},
        tables,
        bits,
        *(_where(found, places) for found in (made.kept, made.leaving)),
    )


def _where(
    kept: dict[int, tuple[Word, ...]], places: dict[Word, int]
) -> dict[int, tuple[int, ...]]:
    """Where values lie that lie anywhere; a digit that nothing takes is at -1."""
    found = {}
    for index, words in kept.items():
        digits = tuple(places.get(word, -1) for word in words)
        computed = [place for word, place in zip(words, digits, strict=True) if word.value is None]
        if -1 not in digits or max(computed, default=-1) >= 0:
            found[index] = digits
    return found


def _placed(made: Blocks, code: list[tuple[Op, Word | None]]) -> tuple[dict[Word, int], list[int]]:
    """Where every word lies, and what the words are at first."""
    states = [word for words in made.states.values() for word in words]
    used = [word for _, word in code if word is not None]
    changing = [word for word in used if word.value is None and word not in made.tables]
    digits = [word for words in (*made.kept.values(), *made.leaving.values()) for word in words]
    constants = {word: word.value for word in (*used, *digits) if word.value is not None}
    fixed = {value: word for word, value in constants.items()}
    order = dict.fromkeys([*made.taken, *states, *changing, *fixed.values(), *made.tables])
    places = {word: k for k, word in enumerate(order)}
    memory = [word.value or 0 for word in order]
    for at, rows in made.tables.items():
        memory += [0] * (-len(memory) % made.grain)
        memory[places[at]] = len(memory) // made.grain
        memory += rows
    most = _MOST * made.grain
    if len(memory) > most:
        raise LoweringError(
            f"its tables and values take {len(memory):,} words, and a program reaches {most:,}",
            "leave out microcode=True: that takes each table as a memory of its own",
        )
    places |= {word: places[fixed[value]] for word, value in constants.items()}
    return places, memory


def _ordered(made: Blocks) -> list[tuple[Op, Word | None]]:
    """The instructions of a step: of what may come next, what need not wait for a word."""
    emitter = _Emitter()
    for word in made.taken:
        emitter.add(Op.TAKE, word)
    for group in (made.first, made.then):
        waiting = list(group)
        written = {word for block in waiting for word in block.writes}
        while waiting:
            ready = [block for block in waiting if not block.reads & written]
            best = min(ready or waiting[:1], key=emitter.wasted)
            emitter.block(best)
            waiting.remove(best)
            written -= set(best.writes)
    return emitter.code


class _Emitter:
    """Instructions as they come, and since when each word is there."""

    def __init__(self) -> None:
        self.code: list[tuple[Op, Word | None]] = []
        self._there: dict[Word, int] = {}  # from which instruction on a word can be read
        self._x: Word | None = None

    def add(self, op: Op, word: Word | None) -> None:
        if op in (Op.LOAD, Op.FIRST, Op.MORE, Op.NEXT) and word is not None:
            while len(self.code) < self._there.get(word, 0):
                self.code.append((Op.NOTHING, None))
        self.code.append((op, word))
        if op == Op.LOAD:
            self._x = word
        elif op in (Op.STORE, Op.LAST, Op.SIGN, Op.TAKE) and word is not None:
            self._there[word] = len(self.code) - 1 + APART
            if self._x is word:
                self._x = None

    def wasted(self, block: Block) -> int:
        """How many instructions would do nothing if a block came next."""
        trial = _Emitter()
        trial.code = [(Op.NOTHING, None)] * len(self.code)
        trial._there, trial._x = dict(self._there), self._x
        trial.block(block)
        begin = len(self.code)
        return sum(op == Op.NOTHING for op, _ in trial.code[begin:])

    def block(self, block: Block) -> None:
        for column in block.columns:
            left = list(column.products)
            op = Op.NEXT if column.carries else Op.FIRST
            while left:
                best = min(left, key=self._cost)
                left.remove(best)
                self._product(op, best, left)
                op = Op.MORE
            for end, word in column.ends:
                self.add(end, word)

    def _cost(self, pair: tuple[Word | None, Word]) -> tuple[int, int]:
        """Instructions until a product is there, and whether another factor is to be loaded."""
        known = [word for word in pair if word is not None]
        wait = max(self._there.get(word, 0) for word in known) - len(self.code)
        return max(0, wait), pair[0] is not None and self._x not in pair

    def _product(
        self, op: Op, pair: tuple[Word | None, Word], left: list[tuple[Word | None, Word]]
    ) -> None:
        a, b = pair
        if a is THERE:
            for _ in range(APART - 1):
                self.code.append((Op.NOTHING, None))
            self.code.append((Op.THERE, None))
            self._x = None
        elif a is not None and self._x is not a:
            if self._x is b:
                a, b = b, a
            else:  # what is needed again is loaded, and what is there later comes later
                again = [sum(word in other for other in left) for word in (a, b)]
                late = [self._there.get(word, 0) for word in (a, b)]
                if (again[1], late[0]) > (again[0], late[1]):
                    a, b = b, a
                self.add(Op.LOAD, a)
        self.add(op, b)


def _widest(found: tuple[Block, ...]) -> int:
    """Bits of the accumulator that hold every sum."""
    least, most = -1 << DIGIT, (1 << DIGIT) - 1
    known = {Op.STORE: (0, most), Op.SIGN: (0, 1)}
    ends = {w: known[op] for b in found for c in b.columns for op, w in c.ends if op in known and w}

    def interval(word: Word | None) -> tuple[int, int]:
        if word is not None and word.value is not None:
            return word.value, word.value
        return ends.get(word, (least, most)) if word is not None else (least, most)

    widest = 0
    for block in found:
        low = high = 0
        for column in block.columns:
            low, high = (low >> DIGIT, high >> DIGIT) if column.carries else (0, 0)
            for a, b in column.products:
                products = [x * y for x in interval(a) for y in interval(b)]
                low, high = low + min(products), high + max(products)
            widest = max(widest, width_of(min(low, -1), high))
    return widest
