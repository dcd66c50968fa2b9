"""A flash as its data sheet has it, for boards that are simulated."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...hdl.link.flash import flash_pins
from ...hdl.link.top import LinkTop
from ...hdl.top import pins
from ...link.image import OFFSET

__all__ = ["FlashChip", "WithFlash"]

_RELEASE, _READ = 0xAB, 0x03
_AWAKE = 30e-6  # s: an N25Q's, of those at hand the longest


class FlashChip(wiring.Component):  # type: ignore[misc]
    """A serial flash that is powered down: what W25Q and N25Q have in common of two commands.

    Mode 0, the highest bit first. ``AB``, alone from one selection to the next, releases it from
    power-down, some time after it is not selected any more; before that it ignores all else.
    ``03`` and an address of 24 bits read the bytes from there on, as long as it is selected.

    Parameters
    ----------
    content : bytes
        From ``offset`` on; all others are 0xFF, as they are when they are erased.
    offset : int
    clock_hz : int
        Of the simulation, by which it sees its pins.
    floats : int
        What ``cipo`` is where it drives nothing.

    Members
    -------
    cs, sck, copi : In(1), cipo : Out(1)
        ``cs`` is high where it is selected.
    """

    cs: Signal
    sck: Signal
    copi: Signal
    cipo: Signal

    def __init__(
        self, content: bytes, *, clock_hz: int, offset: int = OFFSET, floats: int = 1
    ) -> None:
        self._offset, self._floats = offset, floats
        self._wakes = max(1, round(_AWAKE * clock_hz))
        self.memory = Memory(shape=8, depth=max(2, len(content)), init=content, attrs={})
        super().__init__({name: member.flip() for name, member in flash_pins().items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = self.memory
        read = self.memory.read_port(domain="comb")
        selected, before = Signal(), Signal()  # a clock ago
        rises, falls, ends = Signal(), Signal(), Signal()
        bits, given = Signal(6), Signal(32)  # of a command: how many came, up to 40; the last ones
        asleep, waking = Signal(init=1), Signal(range(self._wakes + 1))
        address, place = Signal(24), Signal(3)
        drives, bit = Signal(), Signal()
        within = Signal(25)
        byte = Signal(8)
        heeds = Signal()
        m.d.comb += [
            rises.eq(self.cs & self.sck & ~before),
            falls.eq(self.cs & ~self.sck & before),
            ends.eq(selected & ~self.cs),
            within.eq(address - self._offset),
            read.addr.eq(within),
            byte.eq(Mux(within < self.memory.depth, read.data, 0xFF)),
            heeds.eq(~asleep & (waking == 0)),
            self.cipo.eq(Mux(drives & self.cs, bit, self._floats)),
        ]
        m.d.sync += [selected.eq(self.cs), before.eq(self.sck)]
        with m.If(waking != 0):
            m.d.sync += waking.eq(waking - 1)
        with m.If(rises):
            m.d.sync += given.eq(Cat(self.copi, given))
            with m.If(bits != 40):
                m.d.sync += bits.eq(bits + 1)
        with m.If(falls & heeds & (bits == 32) & (given[24:] == _READ) & ~drives):
            m.d.sync += [drives.eq(1), address.eq(given), place.eq(7)]
        with m.If(drives & falls):
            m.d.sync += place.eq(place - 1)
            with m.If(place == 0):
                m.d.sync += address.eq(address + 1)
        m.d.comb += bit.eq(byte.bit_select(place, 1))
        with m.If(ends):
            with m.If(asleep & (bits == 8) & (given[:8] == _RELEASE)):
                m.d.sync += [asleep.eq(0), waking.eq(self._wakes)]
        with m.If(~self.cs):
            m.d.sync += [bits.eq(0), drives.eq(0)]
        return m


class WithFlash(wiring.Component):  # type: ignore[misc]
    """A linked design and the flash of its board.

    Parameters
    ----------
    top : LinkTop
    chip : FlashChip
    """

    def __init__(self, top: LinkTop, chip: FlashChip) -> None:
        self._top, self._chip = top, chip
        super().__init__(pins())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.top = top = self._top
        m.submodules.chip = chip = self._chip
        for name, member in flash_pins().items():
            of, to = (top, chip) if member.flow is Out else (chip, top)
            m.d.comb += getattr(to, name).eq(getattr(of, name))
        for name, member in pins().items():
            of, to = (self, top) if member.flow is In else (top, self)
            m.d.comb += getattr(to, name).eq(getattr(of, name))
        return m
