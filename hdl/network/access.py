"""Reading and writing a network's memories, a row at a time, between steps."""

from typing import Any

from amaranth import Cat, Const, Module, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...link.regions import Region

__all__ = ["Access", "AccessSignature"]


class AccessSignature(wiring.Signature):
    """A port by which rows of memories are read and written, as who asks has it.

    Parameters
    ----------
    words : int
        The most 16-bit words of a row.

    Members
    -------
    valid : Out(1)
        Something is asked for; all that is asked stays until ``ready``.
    write : Out(1)
    region : Out(8)
        The place of the memory in :func:`scneuro.link.regions.regions`; it is one of them.
    row : Out(16)
        One that the memory has.
    data : Out(16 * words)
        What is written: the row's words, the first one lowest.
    ready : In(1)
        For a clock: it is done, and what was read is in ``result`` in this clock.
    result : In(16 * words)
        The row's words, the first one lowest; a number is extended to whole words. What is above
        the row's own words means nothing.
    """

    def __init__(self, words: int) -> None:
        self.words = words
        super().__init__(
            {
                "valid": Out(1),
                "write": Out(1),
                "region": Out(8),
                "row": Out(16),
                "data": Out(16 * words),
                "ready": In(1),
                "result": In(16 * words),
            }
        )


class Access(wiring.Component):
    """Lets one request at a time through to the memory that it names, when it may.

    Parameters
    ----------
    regions : tuple of Region

    Members
    -------
    i : In(:class:`AccessSignature`)
    free : In(1)
        Nothing else reads or writes the memories.
    look, write : Out
        By region, whether a row is read, or written, in this clock.
    found : In
        By region, ``r0`` and so on, what was read in the clock before.
    """

    i: Any
    free: Signal
    look: Signal
    write: Signal
    found: data.View

    def __init__(self, regions: tuple[Region, ...]) -> None:
        self._regions = regions
        shapes = {f"r{k}": Shape(r.bits, signed=r.signed) for k, r in enumerate(regions)}
        super().__init__(
            {
                "i": In(AccessSignature(max(r.words for r in regions))),
                "free": In(1),
                "look": Out(len(regions)),
                "write": Out(len(regions)),
                "found": In(data.StructLayout(shapes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i, goes = self.i, Signal()
        named = Signal(len(self._regions))
        m.d.comb += [
            named.eq(Cat(i.region == k for k in range(len(self._regions)))),
            goes.eq(i.valid & self.free & ~i.ready),
            self.look.eq(named & (goes & ~i.write).replicate(len(named))),
        ]
        m.d.sync += i.ready.eq(goes)
        result: Value = Const(0, 1)
        for k, region in enumerate(self._regions):
            if region.writable:
                m.d.comb += self.write[k].eq(named[k] & goes & i.write)
            words = Signal(Shape(16 * region.words, signed=region.signed), name=f"words_{k}")
            m.d.comb += words.eq(self.found[f"r{k}"])
            bits: Value = words.as_unsigned()
            others = [r.words for at, r in enumerate(self._regions) if at != k]
            shared = 16 * min(region.words, max(others, default=0))  # the rest is its own
            gated = bits[:shared] & named[k].replicate(shared)
            result = result | Cat(gated, bits[shared:])
        m.d.comb += i.result.eq(result)
        return m
