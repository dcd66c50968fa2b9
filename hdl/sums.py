"""Sums of what comes in for many neurons, in two banks: one adds up while the other is read."""

from typing import Any

from amaranth import Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["Sums"]

_WORD = Shape(16, signed=True)


class Sums(wiring.Component):
    """Sums of the words of one input, of as many rows as there are, in two banks.

    A row is added to in three clocks, or in four: its sum is read, kept where clocks are short,
    added to and written; in those after the first it is not added to again. What is kept is that
    of each bank, in the register of its memory: what is read, too, is there a clock later. A sum
    begins with the default, and stays at the limits of a word. A row of the bank that is read is
    given the default again, as all are before it adds up.

    Parameters
    ----------
    rows, lanes : int
    default : int
        The word of an input that nothing was added to.
    kept : bool
        Whether there is a register behind each memory.

    Members
    -------
    adds_up : In(2)
        By bank, whether it adds up, one at most.
    row : In, words : In(lanes words)
        What is to be added.
    add_to : In, add : In(2)
        The same row, and by bank, whether it is added to, ``clocks`` later: two, or three. The bank
        adds up still.
    read_row : In, read_bank : In(1), read : In(1)
        What is read, of a bank that does not add up.
    o : Out(lanes words)
        The sums that were read, from a clock later on until others are, or from two.
    clear_row : In, clear : In(2)
        A row to give the default, and by bank, whether to; of one that does not add up.
    """

    adds_up: Signal
    row: Signal
    words: data.View
    add_to: Signal
    add: Signal
    read_row: Signal
    read_bank: Signal
    read: Signal
    o: data.View
    clear_row: Signal
    clear: Signal

    def __init__(self, rows: int, lanes: int, default: int, *, kept: bool = False) -> None:
        self._rows, self._lanes, self._default = rows, lanes, default
        self._kept = kept
        self.clocks = 2 + kept
        row = max(1, (rows - 1).bit_length())
        words = data.ArrayLayout(_WORD, lanes)
        super().__init__(
            {
                "adds_up": In(2),
                "row": In(row),
                "words": In(words),
                "add_to": In(row),
                "add": In(2),
                "read_row": In(row),
                "read_bank": In(1),
                "read": In(1),
                "o": Out(words),
                "clear_row": In(row),
                "clear": In(2),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        limited = Signal.like(self.words)
        found = [self._bank(m, bank, limited) for bank in range(2)]
        of_bank, adding = Signal(name="of_bank"), Signal(name="adding")
        m.d.sync += adding.eq(self.adds_up[1])
        with m.If(self.read):
            m.d.sync += of_bank.eq(self.read_bank)
        if self._kept:
            added_to, shown = adding, of_bank
            adding, of_bank = Signal(name="adding_kept"), Signal(name="of_bank_kept")
            m.d.sync += [adding.eq(added_to), of_bank.eq(shown)]
        for lane in range(self._lanes):
            added = Signal(_WORD, name=f"added_{lane}")
            total = Signal(Shape(17, signed=True), name=f"total_{lane}")
            before = Mux(adding, found[1][lane], found[0][lane]).as_signed()
            m.d.sync += added.eq(self.words[lane])
            if self._kept:
                later = Signal(_WORD, name=f"later_{lane}")
                m.d.sync += later.eq(added)
                added = later
            m.d.sync += total.eq(before + added)
            m.d.comb += [
                limited[lane].eq(_limited(total)),
                self.o[lane].eq(Mux(of_bank, found[1][lane], found[0][lane])),
            ]
        return m

    def _bank(self, m: Module, bank: int, limited: Any) -> list[Value]:
        """A bank, a memory for each lane, and what it reads."""
        adds_up, clear = self.adds_up[bank], self.clear[bank]
        found: list[Value] = []
        for lane in range(self._lanes):
            memory = Memory(shape=_WORD, depth=self._rows, init=[self._default] * self._rows)
            m.submodules[f"bank_{bank}_{lane}"] = memory
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                read.addr.eq(Mux(adds_up, self.row, self.read_row)),
                read.en.eq(adds_up | (self.read & (self.read_bank == bank))),
                write.addr.eq(Mux(adds_up, self.add_to, self.clear_row)),
                write.en.eq(clear | self.add[bank]),
                write.data.eq(Mux(adds_up, limited[lane], self._default)),
            ]
            found.append(read.data)
            if self._kept:
                found[lane] = kept = Signal(_WORD, name=f"kept_{bank}_{lane}", reset_less=True)
                m.d.sync += kept.eq(read.data)
        return found


def _limited(total: Signal) -> Value:
    """A sum of 17 bits as a word, at its limit where it is beyond."""
    beyond = total[16] ^ total[15]
    limit = Cat((~total[16]).replicate(15), total[16])
    return Mux(beyond, limit, total[:16]).as_signed()
