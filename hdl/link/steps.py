"""The steps of a linked network: when they begin, what they are made of, what they leave."""

from typing import Any

from amaranth import Cat, Module, Mux, Shape, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...link.messages import HELD, IDENTITY_WORDS, NO_END, REGISTERS
from ..network import Network
from ..network.access import AccessSignature
from ..queue import Queue

__all__ = ["FED", "Steps", "kept_results", "settings_rows"]

_BLOCK = {"ram_style": "block"}
#: Words that may wait to become steps.
FED = 256
_COUNTS = ("steps", "late", "saturated")


def kept_results(words: int) -> int:
    """How many words of results are kept where a step leaves so many."""
    return max(256, 2 << (words - 1).bit_length())


def settings_rows(frame_words: int) -> int:
    """Rows of the memory of settings and identity, where so many words make a step."""
    return 2 * max(IDENTITY_WORDS, 1 << (HELD + frame_words - 1).bit_length())


class Steps(wiring.Component):
    """Makes steps of words that were fed, or of those that are held, and keeps their results.

    A step begins when there is room for all that it leaves and no memory is read or written. What
    is counted is added to the settings when it is over.

    Parameters
    ----------
    network : Network
        A linked one.
    identity : bytes
    clocks : int
        Of a paced step.

    Members
    -------
    settings, memories : In
        See :class:`~scneuro.hdl.link.requests.Requests`.
    feed : In(stream of 16 bits)
    made, taken : Out, In
    place : In, result : Out(16)
    fired : Out(1)
        A word with spikes leaves.
    late : Out(1)
        A step began late.
    """

    settings: Any
    memories: Any
    feed: Any
    made: Signal
    taken: Signal
    place: Signal
    result: Signal
    fired: Signal
    late: Signal

    def __init__(self, network: Network, identity: bytes, clocks: int) -> None:
        if len(identity) > 2 * IDENTITY_WORDS:
            raise ValueError(f"an identity has at most {2 * IDENTITY_WORDS} bytes")
        self.network, self._identity, self._clocks = network, identity, clocks
        self.kept = kept_results(network.plan.output_words)
        self.rows = HELD + network.plan.frame_words
        self._half = settings_rows(network.plan.frame_words) // 2
        bits = self.kept.bit_length()
        super().__init__(
            {
                "settings": In(AccessSignature(1)),
                "memories": In(network.access.signature.flip()),
                "feed": In(stream.Signature(16)),
                "made": Out(bits),
                "taken": In(bits),
                "place": In(bits - 1),
                "result": Out(16),
                "fired": Out(1),
                "late": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.network = self.network
        m.submodules.fed = self._queue = Queue(Shape(16), FED)
        self._held, self._paced = Signal(name="held"), Signal(name="paced")
        self._more = Signal()  # held steps to go
        self._idle = Signal()
        self._may = Signal()
        self._wanted = Signal()  # a memory is read or written: no step begins
        m.d.comb += [
            self._queue.word.eq(self.feed.payload),
            self.feed.ready.eq(self._queue.room),
            self._queue.write.eq(self.feed.valid & self.feed.ready),
        ]
        self._results(m)
        self._time(m)
        self._remember(m)
        self._access(m)
        self._sequence(m)
        return m

    def _results(self, m: Module) -> None:
        """Keep what leaves."""
        network = self.network
        memory = Memory(shape=16, depth=self.kept, init=[], attrs=_BLOCK)
        m.submodules.results = memory
        write, read = memory.write_port(), memory.read_port()
        behind = Signal(self.made.shape())
        self._room = Signal()
        m.d.comb += [
            network.o.ready.eq(1),
            write.addr.eq(self.made),
            write.data.eq(network.o.payload),
            write.en.eq(network.o.valid),
            read.addr.eq(self.place),
            self.result.eq(read.data),
            behind.eq(self.made - self.taken),
            self._room.eq(behind[-2:] == 0),
            self.fired.eq(network.o.valid & network.o.payload.any()),
        ]
        with m.If(network.o.valid):
            m.d.sync += self.made.eq(self.made + 1)

    def _time(self, m: Module) -> None:
        """When a step may begin: in its time, or as soon as it can."""
        timer, due, overdue = Signal(range(self._clocks)), Signal(), Signal()
        waits = Signal()  # there is something to make a step of
        self._begins, self._was_late = Signal(), Signal(name="was_late")
        network = self.network
        m.d.comb += [
            waits.eq((self._held & self._more) | network.waiting | self._queue.o.valid),
            self._may.eq((due | ~self._paced) & self._room & ~self._wanted),
        ]
        m.d.sync += timer.eq(timer - 1)
        with m.If(self._begins):
            m.d.sync += [due.eq(0), overdue.eq(0), self._was_late.eq(overdue)]
        with m.If(timer == 0):
            m.d.sync += [timer.eq(self._clocks - 1), due.eq(1)]
            m.d.sync += overdue.eq(self._paced & due & waits & ~self._begins)
        with m.If(overdue & self._begins):
            m.d.sync += self.late.eq(1)

    def _remember(self, m: Module) -> None:
        """The settings and the identity, in one memory."""
        whole = self._identity.ljust(2 * self._half, b"\0")
        words = [int.from_bytes(whole[k : k + 2], "little") for k in range(0, len(whole), 2)]
        memory = Memory(shape=16, depth=2 * self._half, init=[0] * self._half + words, attrs=_BLOCK)
        m.submodules.settings = memory
        self._read, self._write = memory.read_port(), memory.write_port()

    def _access(self, m: Module) -> None:
        """Let a host at the settings and the network's memories, when no step is under way."""
        network, asked, memories = self.network, self.settings, self.memories
        free, goes = Signal(), Signal()
        address = Signal(len(self._read.addr))
        m.d.comb += [
            self._wanted.eq(asked.valid | memories.valid),
            free.eq(self._idle & ~network.busy),
            goes.eq(asked.valid & free & ~asked.ready),
            address.eq(Cat(asked.row[: len(address) - 1], asked.region[0])),
            asked.result.eq(self._read.data),
            network.access.valid.eq(memories.valid & free),
            *(
                getattr(network.access, name).eq(getattr(memories, name))
                for name in ("write", "region", "row", "data")
            ),
            memories.ready.eq(network.access.ready),
            memories.result.eq(network.access.result),
        ]
        m.d.sync += asked.ready.eq(goes)
        with m.If(self._idle):
            m.d.comb += [
                self._read.addr.eq(address),
                self._read.en.eq(goes & ~asked.write),
                self._write.addr.eq(address),
                self._write.data.eq(asked.data),
                self._write.en.eq(goes & asked.write),
            ]
        first = goes & asked.write
        with m.If(first & (address == REGISTERS["control"].row)):
            m.d.sync += Cat(self._held, self._paced).eq(asked.data)
        with m.If(first & (address == REGISTERS["left"].row)):
            m.d.sync += self._more.eq(asked.data.any())
        with m.If(first & (address == REGISTERS["restart"].row)):
            m.d.comb += network.restart_now.eq(asked.data[0])

    def _sequence(self, m: Module) -> None:
        """A step after the other."""
        network, queue, read, write = self.network, self._queue, self._read, self._write
        frame_words = network.plan.frame_words
        word = Signal(range(max(frame_words, 16) + 1))
        there, made_of_held = Signal(name="word_there"), Signal()
        # what is counted: rows in turn, the carry from low to high ones
        row, carry = Signal(range(16)), Signal()
        beyond = Signal(16)
        amount, total = Signal(16), Signal(17)
        left = REGISTERS["left"].row
        first, last = REGISTERS["steps"].row, REGISTERS["saturated"].row + 1
        m.d.sync += beyond.eq(beyond + network.saturated)
        with m.Switch(row):
            with m.Case(first):
                m.d.comb += amount.eq(1)
            with m.Case(REGISTERS["late"].row):
                m.d.comb += amount.eq(self._was_late)
            with m.Case(REGISTERS["saturated"].row):
                m.d.comb += amount.eq(beyond)
            with m.Case(left):
                m.d.comb += amount.eq(0xFFFF)
            with m.Default():
                m.d.comb += amount.eq(carry)
        m.d.comb += [
            total.eq(read.data + amount),
            network.i.payload.eq(Mux(self._held, read.data, queue.o.payload)),
        ]
        with m.FSM(name="steps"):
            with m.State("idle"):
                m.d.comb += [
                    self._idle.eq(1),
                    network.tick.eq(self._may),
                    network.i.valid.eq(queue.o.valid & ~self._held),
                    queue.o.ready.eq(network.i.ready & ~self._held),
                ]
                with m.If(network.busy):
                    m.d.comb += self._begins.eq(1)
                    m.next = "run"
                with m.Elif(self._held & self._more & ~network.waiting & self._may):
                    m.d.sync += word.eq(0)
                    m.next = "held"
            with m.State("held"):
                m.d.comb += [
                    read.addr.eq(HELD + word),
                    read.en.eq(~there | network.i.ready),
                    network.i.valid.eq(there),
                ]
                with m.If(read.en):
                    m.d.sync += [word.eq(word + 1), there.eq(word != frame_words)]
                    with m.If(word == frame_words):
                        m.d.sync += made_of_held.eq(1)
                        m.next = "idle"
            with m.State("run"):
                m.d.comb += [
                    network.i.valid.eq(queue.o.valid & ~self._held),
                    queue.o.ready.eq(network.i.ready & ~self._held),
                ]
                with m.If(network.done):
                    m.d.sync += row.eq(first)
                    m.next = "look"
            with m.State("look"):
                m.d.comb += [read.addr.eq(row), read.en.eq(1)]
                m.next = "count"
            with m.State("count"):
                m.d.comb += [write.addr.eq(row), write.data.eq(total)]
                m.d.sync += [carry.eq(total[16]), row.eq(row + 1)]
                m.next = "look"
                with m.If(row == left):
                    m.d.comb += write.en.eq(made_of_held & (read.data != NO_END))
                    m.d.sync += made_of_held.eq(0)
                    with m.If(made_of_held):
                        m.d.sync += self._more.eq(total[:16] != 0)
                    m.next = "idle"
                with m.Else():
                    m.d.comb += write.en.eq(1)
                with m.If(row == REGISTERS["saturated"].row):
                    m.d.sync += beyond.eq(network.saturated)
                with m.If(row == last):
                    m.d.sync += row.eq(left)
