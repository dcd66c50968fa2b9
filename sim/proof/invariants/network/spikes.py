"""What is claimed of a network's spikes: kept once a step, read when they are there, and sent."""

from __future__ import annotations

from typing import Any

from amaranth import Array, Cat, Const, Mux, Signal

from .....hdl.network import Network
from .....network.plan import SPIKES_A_WORD, Deliver
from ..harness import Harness, implies
from .around import Around

__all__ = ["spikes"]


def spikes(dut: Network) -> Harness:
    """The claims of what populations fire, and of what leaves."""
    of = Around(dut)
    _kept(of)
    _sent(of)
    _counted(of)
    return of.h


def _kept(of: Around) -> None:
    """Any one word of the populations' spikes, through a step."""
    h, m, made, dut = of.h, of.h.m, of.plan, of.dut
    watched = h.constant(range(max(2, made.spike_words)), "watched_word")
    h.assume(watched < made.spike_words)
    bits, fired = Signal(16, name="spikes_of_watched"), Signal(name="all_fired")
    wrote = Signal(2)
    write, read = of.spikes.write_ports[0], of.spikes.read_ports[0]
    cells = len(write.addr) - (made.slots - 1).bit_length()
    into: Any = write.addr[cells:] if made.slots > 1 else Const(0, 1)
    out: Any = read.addr[cells:] if made.slots > 1 else Const(0, 1)
    step = of.step if made.slots > 1 else Const(0, 1)
    now = write.en & (write.addr[:cells] == watched)
    with m.If(now):
        m.d.sync += wrote.eq(wrote + 1)
    passed: Any = Const(0)  # all rows of the watched word have come
    for name, turns in of.turns.items():
        core, own = turns.core, made.spikes[name]
        view = core.written.spike
        (phase,) = (k for k, (n, work) in enumerate(of.phases) if n == name and work is None)
        with m.If(core.tick & (watched - own.base < own.words) & (watched >= own.base)):
            m.d.sync += [bits.eq(0), fired.eq(0)]
        with m.If(view.valid & (own.base + (view.row >> 4) == watched)):
            m.d.sync += bits.bit_select(view.row[:4], 1).eq(view.values[0])
        mine = (watched >= own.base) & (watched < own.base + own.words)
        end = (watched - own.base + 1) * SPIKES_A_WORD  # behind its last row
        end = Mux(end > core.rows, core.rows, end)
        with m.If(mine & view.valid & (view.row + 1 == end)):
            m.d.sync += fired.eq(1)
        here = of.at("update") & (of.phase == phase) & (turns.shown >= end)
        here = here | (of.at("written", "settled", "next") & (of.phase == phase))
        work = of.at("choose", "deliver", "update", "written", "settled", "next")
        passed = passed | (mine & (here | (work & (of.phase > phase)) | of.at("read", "send")))
        count = turns.shown
        under_way = turns.open & (count < core.rows)
        word, whole = own.base + (count >> 4), h.register("spikes_of_word")
        h.know(
            implies(turns.open & (count[:4] == 0), whole == 0),
            implies(turns.open & (count == core.rows), whole == 0),
            implies(under_way & (word == watched), whole == bits),
            implies(under_way & (word == watched), bits >> count[:4] == 0),
        )
        early = turns.open & (own.base + (count >> 4) < watched) & (watched < own.base + own.words)
        h.know(implies(early, bits == 0))
    with m.If(dut.done):
        m.d.sync += [wrote.eq(0), fired.eq(0)]
    any_open = Cat(turns.open for turns in of.turns.values()).any()
    h.know(implies(~any_open, h.register("spikes_of_word") == 0))
    h.know(fired == passed, wrote + now == fired, implies(now, wrote == 0))
    h.know(implies(write.en, into == step), implies(now, write.data == bits))
    has = of.look("spikes", watched, step)
    h.know(implies(wrote != 0, has == bits))
    h.claim(
        "written",
        "every word of spikes is written once a step, in its step's slot, with the spikes of all "
        "its neurons",
        implies(write.en, into == step),
        implies(now, (wrote == 0) & fired & (write.data == bits)),
        implies(dut.done, (wrote == 1) & ~now & (has == bits)),
    )
    looked = read.en & (dut._inside | dut._sending)
    if dut.linked:  # between steps it is read from outside
        looked = looked & of.computing
    h.claim(
        "read",
        "of the step's own spikes a word is read only when it is written, and no word that is "
        "read for a delay is overwritten in the step",
        implies(looked & (out == step) & (read.addr[:cells] == watched), (wrote == 1) & ~now),
        implies(looked, ~write.en),
        *_delays(of, out, step),
    )
    sources = [work for _, work in of.phases if isinstance(work, Deliver) and work.inside]
    assert all(work.delay < made.slots for work in sources)


def _delays(of: Around, out: Any, step: Any) -> list[Any]:
    """By phase, which step's spikes are read."""
    found = []
    for k, (_, work) in enumerate(of.phases):
        if isinstance(work, Deliver) and work.inside and of.plan.slots > 1:
            reads = of.at("deliver") & (of.phase == k) & of.spikes.read_ports[0].en
            found.append(implies(reads, out == (step - work.delay)[: len(out)]))
    return found


def _sent(of: Around) -> None:
    h, m, made, dut = of.h, of.h.m, of.plan, of.dut
    o = dut.o
    words = [made.spikes[n].base + k for n in made.outputs for k in range(made.spikes[n].words)]
    if not words:
        last = of.at("next") & (of.phase == len(of.phases) - 1)
        h.claim(
            "sent",
            "nothing leaves, and a step is over when its last phase is",
            ~o.valid,
            dut.done == last,
        )
        return
    count, watched = (
        Signal(range(len(words) + 1)),
        h.constant(range(len(words) + 1), "watched_sent"),
    )
    h.assume(watched < len(words))
    taken = o.valid & o.ready
    with m.If(taken):
        m.d.sync += count.eq(count + 1)
    with m.If(dut.done):
        m.d.sync += count.eq(0)
    step = of.step if made.slots > 1 else Const(0, 1)
    has = of.look("spikes", Array(words)[watched], step)
    h.claim(
        "sent",
        "the words of the outputs leave in order, each once a step, as they are in memory, "
        "whatever `o.ready` does",
        implies(o.valid, count < len(words)),
        implies(o.valid & (count == watched), o.payload == has),
        dut.done == (taken & (count == len(words) - 1)),
        implies(dut.done, of.computing),
        implies(h.was(o.valid & ~o.ready), o.valid & (o.payload == h.was(o.payload))),
    )
    sending = of.at("read", "send")
    h.know(
        implies(sending, (h.register("sent") == count) & (count < len(words))),
        implies(~sending, count == 0),
        implies(of.at("send") & (count == watched), of.spikes.read_ports[0].data == has),
    )


def _counted(of: Around) -> None:
    """What is counted is what is shown."""
    found: list[Any] = []
    for name, counts in of.dut.counts.items():
        turns = of.turns[name]
        view, open_ = turns.core.written.spike, turns.open
        found += [
            counts.valid == view.valid,
            implies(view.valid, (counts.row == view.row) & (counts.fired == view.values[0])),
            counts.restart == turns.core.restart,
            implies(counts.restart, ~open_ & ~view.valid),
        ]
        if of.dut.linked:
            found.append(implies(counts.look, ~open_ & ~view.valid & ~of.h.was(view.valid)))
    if found:
        of.h.claim(
            "tallied",
            "the spike of every neuron of an output is counted once a step, as it is shown; its "
            "counts begin anew as its neurons do, and are read only between steps",
            *found,
        )
