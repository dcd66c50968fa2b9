"""A small processor of 16-bit words, and the words of its program."""

from collections.abc import Sequence
from enum import IntEnum

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["PROGRAM", "Action", "Flag", "Processor", "Program", "Source"]

# nothing is read and written in the same clock
_BLOCK = {"ram_style": "block"}
_OPERAND = 9  # bits
#: Instructions of a program, at most.
PROGRAM = 1 << _OPERAND
_JUMP, _WANTED, _FLAG, _WRITES = 15, 14, 9, 13
_KEEPS, _INDEXED, _STORES, _POINTS, _ACTS = 14, 13, 12, 11, 10
_SOURCE, _ADDS, _INVERTS = 11, 10, 9


class Flag(IntEnum):
    """What a jump may depend on."""

    ZERO = 0
    CARRY = 1  #: of the last sum; of a difference, that it is not below 0
    BIT0 = 2
    BIT1 = 3
    ASKED = 4
    GIVEN = 5
    LEAVES = 6
    BUSY = 7
    DUE = 8
    MISSED = 9
    REACHED = 10
    EXCHANGED = 11  #: a byte with the flash
    SOUND = 12  #: what came from the flash, by its check
    NEVER = 13


class Source(IntEnum):
    """Where a word comes from."""

    MEMORY = 0
    SHIFT = 1
    ROW = 2
    NETWORK = 3


class Action(IntEnum):
    """What a program can do to what is around it."""

    BEGIN = 0
    PUT = 1
    SEND = 2
    PUSH = 3
    RESTART = 4
    BEGUN = 5
    CALM = 6
    LATE = 7
    FIRED = 8
    WAITS = 9
    ANEW = 13  #: the check of what comes from the flash; this bit is of no other use there


class Program:
    """A program, as it is written: instructions in order, labels, and words by name.

    Parameters
    ----------
    words : dict of str to int
        Variables, with their initial values. Constants join them.
    others : dict of str to int
        Where other words lie; by ``NAME above`` the one behind each.

    Attributes
    ----------
    code : list of int
    memory : list of int
        What the words are at first, from address 0 on.
    """

    def __init__(self, words: dict[str, int], others: dict[str, int]) -> None:
        self._places: dict[str | int, int] = {name: k for k, name in enumerate(words)}
        for name, place in others.items():
            self._places |= {name: place, f"{name} above": place + 1}
        self.memory = list(words.values())
        self._labels: dict[str, int] = {}
        self._jumps: dict[int, str] = {}
        self.code: list[int] = []

    # -- words ---------------------------------------------------------------------------------
    def load(self, word: str | int) -> None:
        """The accumulator becomes a word, or a number."""
        self._add(self._place(word))

    def add(self, word: str | int) -> None:
        self._add(1 << _ADDS | self._place(word))

    def sub(self, word: str | int) -> None:
        """Subtract; the carry says that nothing was borrowed."""
        self._add(1 << _ADDS | 1 << _INVERTS | self._place(word))

    def store(self, *words: str) -> None:
        for word in words:
            self._add(1 << _KEEPS | 1 << _STORES | self._place(word))

    def point(self) -> None:
        """The pointer becomes the accumulator."""
        self._add(1 << _KEEPS | 1 << _POINTS)

    def load_there(self) -> None:
        """The accumulator becomes the word at the pointer."""
        self._add(1 << _INDEXED)

    def store_there(self) -> None:
        self._add(1 << _KEEPS | 1 << _STORES | 1 << _INDEXED)

    def store_and_point(self, word: str) -> None:
        self._add(1 << _KEEPS | 1 << _STORES | 1 << _POINTS | self._place(word))

    def sub_there(self) -> None:
        self._add(1 << _ADDS | 1 << _INVERTS | 1 << _INDEXED)

    # -- what is around ------------------------------------------------------------------------
    def shift(self, *, body: bool = False, came: bool = False) -> None:
        """The high byte goes down; above it comes 0, or the next byte of the request.

        Or the one that came from the flash.
        """
        self._add(Source.SHIFT << _SOURCE | came << 1 | body)

    def row(self) -> None:
        """The next word of the row."""
        self._add(Source.ROW << _SOURCE)

    def leaves(self) -> None:
        """The word that leaves the network."""
        self._add(Source.NETWORK << _SOURCE)

    def beyond(self) -> None:
        """What was counted of inputs beyond their limits, which begins anew."""
        self._add(Source.NETWORK << _SOURCE | 1)

    def act(self, action: Action) -> None:
        self._add(1 << _KEEPS | 1 << _ACTS | 1 << action)

    # -- jumps -----------------------------------------------------------------------------------
    def label(self, name: str) -> None:
        assert name not in self._labels
        self._labels[name] = len(self.code)

    def jump(self, label: str) -> None:
        self.unless(Flag.NEVER, label)

    def where(self, flag: Flag, label: str) -> None:
        self._jumps[len(self.code)] = label
        self._add(1 << _JUMP | 1 << _WANTED | flag << _FLAG)

    def unless(self, flag: Flag, label: str) -> None:
        self._jumps[len(self.code)] = label
        self._add(1 << _JUMP | flag << _FLAG)

    def wait(self, flag: Flag, *, writes: bool = False) -> None:
        """Until a flag is there: to give a word, to begin a step, to reach a row.

        Or to exchange a byte with the flash, which is selected where it ``writes``.
        """
        self._add(1 << _JUMP | flag << _FLAG | writes << _WRITES | len(self.code))

    def linked(self) -> list[int]:
        """The instructions."""
        found = list(self.code)
        for place, label in self._jumps.items():
            found[place] |= self._labels[label]
        assert len(found) <= PROGRAM
        assert len(self.memory) <= PROGRAM
        return found

    def _add(self, instruction: int) -> None:
        self.code.append(instruction)

    def _place(self, word: str | int) -> int:
        if isinstance(word, int) and word not in self._places:
            self._places[word] = len(self.memory)
            self.memory.append(word)
        return self._places[word]


class Processor(wiring.Component):
    """Runs a program: an instruction in two clocks.

    In the first one of them, it is there, and asks for a word; what comes next is known. In the
    second one, the word is there and is used.

    Parameters
    ----------
    code, memory : sequence of int
        Instructions, and what the memory has at first, a power of two of words.

    Members
    -------
    accumulator, pointer : Out(16)
    flags : In
        By :class:`Flag`, from ``ASKED`` on.
    body : In(8)
        The next byte of a request.
    came : In(8)
        The byte that came from the flash.
    row, leaves, beyond : In(16)
        What else there is to be loaded.
    takes, shifts, left, counted : Out(1)
        ``body``, ``row``, ``leaves``, ``beyond`` is loaded.
    begin, put, ... : Out(1)
        By :class:`Action`: it is to be done.
    gives, begins, reaches, exchanges : Out(1)
        It waits for :attr:`Flag.GIVEN`, ``BUSY``, ``REACHED``, ``EXCHANGED``: a word is given, if
        its flag is there; a row, or a byte, is asked for, unless it is.
    writes : Out(1)
        It reaches a row to write it, or the flash is to be selected.
    """

    def __init__(self, code: Sequence[int], memory: Sequence[int]) -> None:
        self._code, self._memory = list(code), list(memory)
        super().__init__(
            {
                "accumulator": Out(16),
                "pointer": Out(16),
                "flags": In(len(Flag) - Flag.ASKED - 1),
                "body": In(8),
                "came": In(8),
                "row": In(16),
                "leaves": In(16),
                "beyond": In(16),
                "takes": Out(1),
                "shifts": Out(1),
                "left": Out(1),
                "counted": Out(1),
                **{action.name.lower(): Out(1) for action in Action},
                "gives": Out(1),
                "begins": Out(1),
                "reaches": Out(1),
                "exchanges": Out(1),
                "writes": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        idle = [1 << _JUMP | Flag.NEVER << _FLAG] * (PROGRAM - len(self._code))
        m.submodules.code = code = Memory(
            shape=16, depth=PROGRAM, init=self._code + idle, attrs=_BLOCK
        )
        m.submodules.memory = memory = Memory(
            shape=16, depth=len(self._memory), init=self._memory, attrs=_BLOCK
        )
        fetch, read, write = code.read_port(), memory.read_port(), memory.write_port()
        bits = len(read.addr)
        i, use = Signal(16), Signal(init=1)  # the instruction; its second clock
        at = Signal(_OPERAND)
        a, operand = self.accumulator, i[:_OPERAND]
        jumps, keeps = i[_JUMP], i[_KEEPS]
        carry, chosen = Signal(), Signal()
        word, total = Signal(16), Signal(17)
        pointer = self.pointer
        source = i[_SOURCE : _SOURCE + 2]
        address = Signal(bits)
        m.d.comb += [
            i.eq(fetch.data),
            fetch.addr.eq(at),
            fetch.en.eq(use),
            address.eq(Mux(i[_INDEXED], pointer[:bits], operand)),
            read.addr.eq(address),
            read.en.eq(~use),
            write.addr.eq(address),
            write.data.eq(a),
            write.en.eq(use & ~jumps & keeps & i[_STORES]),
        ]
        m.d.sync += use.eq(~use)
        # jumps
        flags = Cat(a == 0, carry, a[0], a[1], self.flags)
        with m.Switch(i[_FLAG : _FLAG + 4]):
            for k in range(len(flags)):
                with m.Case(k):
                    m.d.comb += chosen.eq(flags[k])
        with m.If(~use):
            m.d.sync += at.eq(Mux(jumps & (chosen == i[_WANTED]), operand, at + 1))
        # words
        other, byte = Signal(16), Signal(8)
        m.d.comb += [
            other.eq(Mux(i[0], self.beyond, self.leaves)),
            byte.eq((self.body & i[0].replicate(8)) | (self.came & i[1].replicate(8))),
        ]
        with m.Switch(source):
            with m.Case(Source.MEMORY):
                m.d.comb += word.eq(read.data ^ i[_INVERTS].replicate(16))
            with m.Case(Source.SHIFT):
                m.d.comb += word.eq(Cat(a[8:], byte))
            with m.Case(Source.ROW):
                m.d.comb += word.eq(self.row)
            with m.Case(Source.NETWORK):
                m.d.comb += word.eq(other)
        computes = Signal()
        m.d.comb += [
            computes.eq(use & ~jumps & ~keeps),
            total.eq(a + word + i[_INVERTS]),
        ]
        with m.If(computes):
            m.d.sync += [a.eq(Mux(i[_ADDS], total[:16], word)), carry.eq(total[16])]
        acts = Signal()
        m.d.comb += acts.eq(use & ~jumps & keeps)
        with m.If(acts & i[_POINTS]):
            m.d.sync += pointer.eq(a)
        m.d.comb += [
            *(getattr(self, a.name.lower()).eq(acts & i[_ACTS] & i[a]) for a in Action),
            self.takes.eq(computes & (source == Source.SHIFT) & i[0]),
            self.shifts.eq(computes & (source == Source.ROW)),
            self.left.eq(computes & (source == Source.NETWORK) & ~i[0]),
            self.counted.eq(computes & (source == Source.NETWORK) & i[0]),
        ]
        waits = {
            flag: jumps & (i[_FLAG : _FLAG + 4] == flag)
            for flag in (Flag.GIVEN, Flag.BUSY, Flag.REACHED, Flag.EXCHANGED)
        }
        exchanged = self.flags[Flag.EXCHANGED - Flag.ASKED]
        m.d.comb += [
            self.gives.eq(waits[Flag.GIVEN] & ~use),
            self.begins.eq(waits[Flag.BUSY]),
            self.reaches.eq(waits[Flag.REACHED] & ~use & ~self.flags[Flag.REACHED - Flag.ASKED]),
            self.exchanges.eq(waits[Flag.EXCHANGED] & ~use & ~exchanged),
            self.writes.eq(i[_WRITES]),
        ]
        return m
