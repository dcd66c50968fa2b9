"""A step of a program, in symbols for words."""

from __future__ import annotations

from dataclasses import dataclass, field

from ....compiler.datapath import width_of
from ....compiler.microcode import Microcode
from ....compiler.microcode.digits import DIGIT
from ....compiler.microcode.instructions import APART, Op
from .polynomials import Polynomial, added, constant, joined, multiplied, odd

__all__ = ["WORD", "WRITES", "Run", "Symbol", "is_constant", "is_digit"]

#: The least and the greatest word.
WORD = (-(1 << DIGIT), (1 << DIGIT) - 1)
#: What writes the memory.
WRITES = (Op.STORE, Op.LAST, Op.SIGN, Op.TAKE)


@dataclass(frozen=True)
class Symbol:
    """What is known of a word.

    Attributes
    ----------
    kind : Op or None
        What wrote it; ``THERE`` if the pointer was at it. None if nothing is known.
    of : Polynomial
        The sum that it is a digit or the sign of, or that the pointer was.
    place : int
        Which digit.
    low, high : int
    """

    kind: Op | None = None
    of: Polynomial = field(default_factory=dict)
    place: int = 0
    low: int = WORD[0]
    high: int = WORD[1]


class Run:
    """A step of a program, in symbols."""

    def __init__(self, program: Microcode) -> None:
        self.program = program
        self.symbols: list[Symbol] = []
        self.faults: list[str] = []
        self.memory: dict[int, Polynomial] = {}
        self.given: dict[str, Polynomial] = {}
        self.spike: Polynomial | None = None
        self.word: tuple[Polynomial, int] | None = None
        written = {a for op, a in program.code[: program.begin] if op in WRITES}
        for place in range(program.named):
            known = place not in written
            value = program.memory[place]
            self.memory[place] = constant(value) if known else self._new(Symbol())
        for name, places in program.states.items():
            for k, place in enumerate(places):
                top = k == len(places) - 1
                ends = WORD if top else (0, WORD[1])
                self.memory[place] = self._new(Symbol(None, {}, k, *ends))
            self.given[name] = joined([self.memory[place] for place in places])
        old = [place for places in program.states.values() for place in places]
        self._old = {place: self.memory[place] for place in old}
        self._follow()

    def words(self, places: tuple[int, ...]) -> list[Polynomial]:
        """What a step computes in words; of states, what it begins with.

        A digit that no word holds is one of the sum that the others are digits of. The highest
        ones, if no word holds them, are left out.
        """
        while places[-1] < 0:
            places = places[:-1]
        known = [self._old.get(p, self.memory[p]) if p >= 0 else {} for p in places]
        last = self.symbol(known[-1]) or Symbol()
        for k, place in enumerate(places):
            if place < 0:
                digit = last.place - (len(known) - 1 - k)
                made = last.kind == Op.LAST and digit >= 0
                known[k] = self._digit(last.of, digit) if made else self.unknown()
        return known

    def _new(self, symbol: Symbol) -> Polynomial:
        self.symbols.append(symbol)
        return {(len(self.symbols) - 1,): 1}

    def symbol(self, word: Polynomial) -> Symbol | None:
        """What is known of a word that is a symbol."""
        ((factors, k),) = word.items() if len(word) == 1 else [((), 0)]
        return self.symbols[factors[0]] if k == 1 and len(factors) == 1 else None

    def interval(self, total: Polynomial) -> tuple[int, int]:
        """Where a polynomial lies, each of its products by itself."""
        low = high = 0
        for factors, k in total.items():
            ends = [k]
            for symbol in factors:
                s = self.symbols[symbol]
                ends = [end * side for end in ends for side in (s.low, s.high)]
            low, high = low + min(ends), high + max(ends)
        return low, high

    def _follow(self) -> None:
        program = self.program
        due: list[tuple[int, int, Polynomial]] = []
        x: Polynomial = self._new(Symbol())
        total: Polynomial = self._new(Symbol())
        pointer: Polynomial = self._new(Symbol())
        column, carried = 0, (0, 0)  # the digits that the sum has lost, and where the rest lies
        for clock, (op, address) in enumerate(program.code[: program.begin]):
            while due and due[0][0] <= clock:
                _, place, word = due.pop(0)
                if place < 0:
                    pointer = word
                else:
                    self.memory[place] = word
            match op:
                case Op.LOAD:
                    x = self.memory[address]
                case Op.THERE:
                    x = self._new(Symbol(Op.THERE, pointer))
                case Op.FIRST | Op.MORE | Op.NEXT:
                    product = multiplied(x, self.memory[address])
                    low, high = self.interval(product)
                    if op == Op.FIRST:
                        total, column, carried = {}, 0, (0, 0)
                    elif op == Op.NEXT:
                        column += 1
                        carried = carried[0] >> DIGIT, carried[1] >> DIGIT
                    total = added([(total, 1), (product, 1 << DIGIT * column)])
                    carried = carried[0] + low, carried[1] + high
                    if width_of(min(carried[0], -1), carried[1]) > program.accumulator:
                        self.faults.append(f"instruction {clock} may be more than the accumulator")
                case Op.POINT:
                    due.append((clock + APART, -1, total if column == 0 else self.unknown()))
                case Op.STORE:
                    due.append((clock + APART, address, self._digit(total, column)))
                case Op.LAST:
                    due.append((clock + APART, address, self._last(total, column)))
                case Op.SIGN:
                    word = self._sign(total)
                    due.append((clock + APART, address, word))
                case Op.TAKE:
                    word = self._new(Symbol(op, {}, address))
                    if address < len(program.externals):
                        self.given[program.externals[address]] = word
                    due.append((clock + APART, address, word))
                case Op.SPIKE:
                    self.spike = total if column == 0 else self.unknown()
                case Op.WORD:
                    self.word = total, column
                case Op.END:
                    if clock != program.begin - 1:
                        self.faults.append(f"the step ends at instruction {clock}")
                case Op.REST:
                    self.faults.append(f"instruction {clock} rests in the middle of a step")
        if program.code[program.begin - 1][0] != Op.END:
            self.faults.append("the step has no end")
        for _, place, word in due:  # what ends last is written as the step ends
            if place >= 0:
                self.memory[place] = word

    def unknown(self) -> Polynomial:
        return self._new(Symbol())

    def _digit(self, total: Polynomial, place: int) -> Polynomial:
        """A digit of a sum."""
        if not set(total) - {()}:
            return constant((total.get((), 0) >> DIGIT * place) & WORD[1])
        return self._new(Symbol(Op.STORE, total, place, 0, WORD[1]))

    def _sign(self, total: Polynomial) -> Polynomial:
        """1 if a sum is not negative, else 0."""
        if not set(total) - {()}:
            return constant(int(total.get((), 0) >= 0))
        return self._new(Symbol(Op.SIGN, odd(total), 0, 0, 1))

    def _last(self, total: Polynomial, column: int) -> Polynomial:
        """The low 16 bits of the accumulator, as what is known of them."""
        if column == 0:
            low, high = self.interval(total)
            if WORD[0] <= low and high <= WORD[1]:
                return total  # it is the sum itself
            if (joined := self._whole(total)) is not None:
                return self._new(joined)
        if not set(total) - {()}:
            whole = total.get((), 0) >> DIGIT * column
            return constant((whole - WORD[0]) % (2 << DIGIT) + WORD[0])
        return self._new(Symbol(Op.LAST, total, column))

    def _whole(self, total: Polynomial) -> Symbol | None:
        """A digit and the lowest bit of the next one: 16 bits of the sum they are digits of."""
        if sorted(total.values()) != [-1 << DIGIT, 1] or any(len(f) != 1 for f in total):
            return None
        below, above = (
            self.symbols[next(f[0] for f, k in total.items() if k == wanted)]
            for wanted in (1, -1 << DIGIT)
        )
        follows = above.kind in (Op.LAST, Op.STORE) and above.place == below.place + 1
        if follows and is_digit(below, below.place, above.of):
            return Symbol(Op.LAST, above.of, below.place)
        return None


def is_digit(symbol: Symbol, place: int, total: Polynomial) -> bool:
    """Whether a word is that digit of a sum, which goes on to columns above it."""
    more = added([(total, 1), (symbol.of, -1)])
    above = all(k % (1 << DIGIT * (place + 1)) == 0 for k in more.values())
    return symbol.kind == Op.STORE and symbol.place == place and above


def is_constant(word: Polynomial, place: int, total: Polynomial) -> bool:
    """Whether that digit of a sum is always the same, and a word is it."""
    below = DIGIT * (place + 1)
    always = all(k % (1 << below) == 0 for factors, k in total.items() if factors)
    digit = (total.get((), 0) >> DIGIT * place) & WORD[1]
    return always and word == constant(digit)
