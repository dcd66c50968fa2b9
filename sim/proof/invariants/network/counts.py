"""What is claimed of counts: each goes up by its neuron's spike, and by nothing else."""

from __future__ import annotations

from amaranth import Mux, Signal

from .....hdl.network.counts import Counts
from .....network import counts as limits
from ..harness import Harness, implies

__all__ = ["counts"]


def counts(dut: Counts) -> Harness:
    """The claims of any one count, whatever fires: rows come in turn, once a step."""
    rows, most = dut.rows, limits.MOST
    h = Harness(f"{rows} counts" + ", linked" * dut._linked, dut=dut, search=2 * rows + 8)
    m, written = h.m, dut.written
    watched = h.constant(range(max(2, rows)), "watched_count")
    h.assume(watched < rows)
    shown = Signal(range(rows + 1), name="shown")  # rows of a step that were
    count = Signal(limits.BITS, name="spikes_since")
    mine = dut.valid & (dut.row == watched)
    with m.If(dut.valid):
        m.d.sync += shown.eq(Mux(shown == rows - 1, 0, shown + 1))
    with m.If(dut.restart):
        m.d.sync += count.eq(0)
    with m.Elif(mine & dut.fired & (count != most)):
        m.d.sync += count.eq(count + 1)
    rests = (shown == 0) & ~dut.valid
    h.assume(implies(dut.valid, dut.row == shown))
    h.assume(implies(dut.restart, rests))
    if rows == 1:  # steps are further apart
        h.assume(implies(dut.valid, ~h.was(dut.valid)))
    h.claim(
        "counts",
        f"a count is 0 at a restart, goes up by its neuron's spike once a step and by nothing "
        f"else, and stays at {most:,}; it is written a clock after the spike is shown",
        written.valid == h.was(dut.valid),
        implies(h.was(mine), (written.row == watched) & (written.values[0] == count)),
    )
    if dut._linked:
        h.assume(implies(dut.look, rests & ~h.was(dut.valid)))
        asked = h.was(dut.look & (dut.place == watched))
        h.claim(
            "found",
            "what is read between steps is the count of the row that is named",
            implies(asked, dut.found == count),
        )
    has, read = h.look("dut.memory", watched), h.part("dut", "memory").read_ports[0]
    anew, fired = h.register("anew"), h.register("fired_before")
    waits = written.valid & (written.row == watched)
    come = Mux((shown == 0) & written.valid, rows, shown)
    stale = anew & (watched >= come - written.valid)  # not written since a restart
    value = Mux(stale, 0, has)
    h.know(
        shown < rows,
        implies(written.valid, written.row + 1 == come),
        count == Mux(waits, value + (fired & (value != most)), value),
        implies(waits, read.data == has),
    )
    if dut._linked:
        h.know(implies(asked, read.data == has))
    return h
