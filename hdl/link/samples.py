"""The frames a board sends, as gates that write them and Python that reads them.

A frame is 8 bytes, little-endian::

    0xA5  sequence  spikes  V low  V high  I low  I high  CRC-8

``sequence`` counts frames modulo 256, ``spikes`` the spikes since the frame before (saturating), V
is the first state's word and I the first input's, both Q8.8, after the step the frame reports.
The check is CRC-8/AUTOSAR over the seven bytes before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC8_AUTOSAR
from amaranth.lib.wiring import In, Out

__all__ = ["FRAME_BYTES", "FrameReader", "FrameWriter", "Sample", "sample_layout"]

SYNC = 0xA5
FRAME_BYTES = 8

sample_layout = data.StructLayout({"sequence": 8, "spikes": 8, "v": 16, "i": 16})


@dataclass(frozen=True)
class Sample:
    """One frame's content: ``v`` and ``i`` as signed Q8.8 words."""

    sequence: int
    spikes: int
    v: int
    i: int


class FrameWriter(wiring.Component):
    """Turns samples into frames.

    Members
    -------
    i : In(stream of ``sample_layout``)
    o : Out(stream of 8 bits)
    """

    i: Any
    o: Any

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(sample_layout)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = crc = CRC8_AUTOSAR().create()
        body = Cat(Const(SYNC, 8), self.i.payload.as_value())
        rest = Signal((FRAME_BYTES - 1) * 8)
        left = Signal(range(FRAME_BYTES + 1))
        sent = Signal()
        m.d.comb += [
            self.i.ready.eq(left == 0),
            self.o.valid.eq(left != 0),
            sent.eq(self.o.valid & self.o.ready),
            self.o.payload.eq(rest[:8]),
            crc.data.eq(rest[:8]),
            crc.valid.eq(sent),
            crc.start.eq(self.i.ready),
        ]
        with m.If(left == 1):
            m.d.comb += self.o.payload.eq(crc.crc)
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [rest.eq(body), left.eq(FRAME_BYTES)]
        with m.Elif(sent):
            m.d.sync += [rest.eq(rest >> 8), left.eq(left - 1)]
        return m


class FrameReader:
    """Finds frames in a stream of bytes that may start anywhere and lose some.

    Attributes
    ----------
    bad : int
        Bytes that belonged to no valid frame.
    lost : int
        Frames that are missing between those found, by their sequence numbers.
    """

    def __init__(self) -> None:
        self._crc = CRC8_AUTOSAR()
        self._buffer = bytearray()
        self._last: int | None = None
        self.bad = 0
        self.lost = 0

    def feed(self, received: bytes) -> Iterator[Sample]:
        """The samples that ``received``, after all that came before it, completes."""
        self._buffer += received
        while len(self._buffer) >= FRAME_BYTES:
            frame = bytes(self._buffer[:FRAME_BYTES])
            if frame[0] != SYNC or self._crc.compute(frame[:-1]) != frame[-1]:
                del self._buffer[0]
                self.bad += 1
                continue
            del self._buffer[:FRAME_BYTES]
            sample = Sample(
                frame[1],
                frame[2],
                int.from_bytes(frame[3:5], "little", signed=True),
                int.from_bytes(frame[5:7], "little", signed=True),
            )
            if self._last is not None:
                self.lost += (sample.sequence - self._last - 1) % 256
            self._last = sample.sequence
            yield sample
