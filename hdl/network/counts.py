"""The spikes of an output, counted neuron by neuron."""

from amaranth import Module, Mux, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...network import counts
from .synapses import bits_for

__all__ = ["Counts"]


class Counts(wiring.Component):
    """How many spikes each neuron has fired since the last restart, in a memory.

    Its spikes are shown once a step, row by row; each count is written a clock later. From a
    restart until its row is shown, a count is 0, whatever the memory has: so nothing needs to be
    written then. A count stays at the most that it holds.

    Parameters
    ----------
    rows : int
    linked : bool
        Whether counts are read from outside, between steps.

    Members
    -------
    valid, row, fired : In
        Whether the spike of a row is shown, of which one, and whether there is one.
    restart : In(1)
        All counts are 0; only when no step is under way.
    written : Out
        Whether a count is written, which row's, and what.
    look, place : In, where it is linked
        Whether a row is read, and which one.
    found : Out(16), where it is linked
        What was read, a clock after ``look``.
    """

    valid: Signal
    row: Signal
    fired: Signal
    restart: Signal
    written: data.View
    look: Signal
    place: Signal
    found: Signal

    def __init__(self, rows: int, *, linked: bool = False) -> None:
        self.rows, self._linked = rows, linked
        row = bits_for(rows)
        values = data.ArrayLayout(Shape(counts.BITS), 1)
        linked_ports = {"look": In(1), "place": In(row), "found": Out(counts.BITS)}
        super().__init__(
            {
                "valid": In(1),
                "row": In(row),
                "fired": In(1),
                "restart": In(1),
                "written": Out(data.StructLayout({"valid": 1, "row": row, "values": values})),
                **(linked_ports if linked else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=counts.BITS, depth=self.rows, init=[])
        read, write = memory.read_port(), memory.write_port()
        anew = Signal(init=1, name="anew")  # rows that come are the first since a restart
        fired, count, written = Signal(name="fired_before"), Signal(counts.BITS), self.written
        reads: Value = self.valid
        m.d.comb += read.addr.eq(self.row)
        if self._linked:
            reads = self.valid | self.look
            m.d.comb += self.found.eq(count)
            with m.If(self.look):
                m.d.comb += read.addr.eq(self.place)
        m.d.sync += [written.valid.eq(self.valid), written.row.eq(self.row), fired.eq(self.fired)]
        m.d.comb += [
            read.en.eq(reads),
            count.eq(Mux(anew, 0, read.data)),
            written.values[0].eq(count + (fired & (count != counts.MOST))),
            write.en.eq(written.valid),
            write.addr.eq(written.row),
            write.data.eq(written.values[0]),
        ]
        with m.If(written.valid & (written.row == self.rows - 1)):
            m.d.sync += anew.eq(0)
        with m.If(self.restart):
            m.d.sync += anew.eq(1)
        return m
