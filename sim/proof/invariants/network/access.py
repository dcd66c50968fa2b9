"""What is claimed of a network's memories as they are read and written from outside."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Const, Mux, Shape, Signal, Value

from .....hdl.network import Network
from .....hdl.network.access import Access
from .....link.regions import Region
from ..harness import Harness, implies, same
from .around import Around

__all__ = ["access", "asks", "memories", "names"]

#: What a step goes on from.
_KEPT = ("computing", "fsm_state", "sent", "spikes_of_word", "row_there", "restart_waits")


def asks(h: Harness, port: Any) -> Value:
    """What who asks promises: what is asked for stays a clock, in which the answer may be there.

    The link's processor asks every other clock.
    """
    asked = Cat(port.write, port.region, port.row, port.data)
    return implies(h.was(port.valid & ~port.ready), same(asked, h.was(asked)))


def names(port: Any, regions: tuple[Region, ...]) -> Value:
    """And besides, that it names a row that there is: the link's program looks first."""
    there = Cat((port.region == k) & (port.row < r.rows) for k, r in enumerate(regions))
    return implies(port.valid, there.any())


def access(dut: Access) -> Harness:
    """The claims of what lets requests through, whatever is asked for and found."""
    h = Harness(f"access to {len(dut._regions)} memories", dut=dut, search=20)
    m, i = h.m, dut.i
    h.assume(asks(h, i))
    goes = Signal(name="goes")
    through = Signal(name="through")  # what is asked for has been, and no answer was there
    m.d.comb += goes.eq(dut.look.any() | dut.write.any())
    with m.If(goes):
        m.d.sync += through.eq(1)
    with m.Elif(i.ready):
        m.d.sync += through.eq(0)
    looks, writes = [], []
    for k, region in enumerate(dut._regions):
        mine = i.region == k
        looks.append(implies(dut.look[k], mine & ~i.write))
        writes.append(implies(dut.write[k], mine & i.write))
        if not region.writable:
            writes.append(~dut.write[k])
    h.claim(
        "goes",
        "a request goes to the memory that it names and to no other, as it was asked for, only "
        "when it may, and once; one that names none goes nowhere",
        *looks,
        *writes,
        implies(goes, i.valid & dut.free & ~through & (i.region < len(dut._regions))),
    )
    h.claim(
        "answered",
        "a request is answered a clock after it might go, and never else",
        i.ready == h.was(i.valid & dut.free & ~i.ready),
        implies(i.ready & ~i.write & (i.region < len(dut._regions)), through),
    )
    found = []
    for k, region in enumerate(dut._regions):
        words = Shape(16 * region.words, signed=region.signed)
        whole = Signal(words, name=f"whole_{k}")
        m.d.comb += whole.eq(dut.found[f"r{k}"])
        here = i.result[: words.width] == whole.as_unsigned()
        found.append(implies(i.region == k, here))
    h.claim(
        "found",
        "the words of a result are those that the memory it is of gives, extended by their sign",
        *found,
    )
    h.know(implies(through, i.ready))
    return h


def memories(dut: Network) -> Harness:
    """The claims of what a network leads to its memories, whatever is asked for, and when."""
    of = Around(dut)
    h, at, synapses = of.h, dut.access, of.synapses
    h.assume(asks(h, at))
    h.assume(names(at, dut.regions))
    ready = Cat(core.ready for core in dut.cores.values()).all()
    idle = ~of.computing & ready & ~h.register("restart_waits")
    goes, led, done, found = [], [], [], []
    step = of.step if of.plan.slots > 1 else Const(0, 1)
    for k, region in enumerate(dut.regions):
        here, words = at.region == k, Shape(16 * region.words, signed=region.signed)
        gives = Signal(words, name=f"gives_{k}")
        if region.name == "weights":
            look, write, row = synapses.look, synapses.load.valid, synapses.load.row
            given, source = synapses.load.weights, synapses.found
            h.m.d.comb += gives.eq(source)
        elif region.writable:
            name, state = region.name.rsplit(".", 1)
            core = dut.cores[name]
            look, write, row = core.look & here, core.write[state], core.place
            given = core.given[: region.bits]
            h.m.d.comb += gives.eq(core.found[state])
        elif (counts := dut._counts_of(region)) is not None:
            look, write, row, given = counts.look & here, Const(0), counts.place, None
            h.m.d.comb += gives.eq(counts.found)
        else:
            base = of.plan.spikes[region.name.removesuffix("/spikes")].base
            look = of.spikes.read_ports[0].en & ~of.computing & here
            write, row, given = Const(0), None, None
            has = of.look("spikes", base + at.row, (step - 1)[: len(step)])
            gives = h.was(has)
        goes += [look, write]
        led.append(implies(write, at.valid & at.write & here))
        if row is not None:
            led.append(implies(look | write, same(row, at.row)))
        if given is not None:
            led.append(implies(write, same(given, at.data[: region.bits])))
            done.append(implies(at.ready & at.write & here, h.was(write)))
        result = at.result[: words.width] == gives.as_unsigned()
        found.append(implies(at.ready & ~at.write & here, result))
    h.claim(
        "between",
        "a memory is read or written only when no step is computed and no population begins anew",
        *(implies(each, idle & at.valid & ~at.ready) for each in goes),
        implies(Cat(core.look for core in dut.cores.values()).any(), idle),
    )
    h.claim(
        "led",
        "what is written is the row that is named, all of it, of the memory that is named and of "
        "no other, by the time that it is said to be done",
        *led,
        *done,
        *(~(a & b) for n, a in enumerate(goes[1::2]) for b in goes[1::2][:n]),
    )
    h.claim(
        "given",
        "what was read is what the named memory gives; of spikes, those of the last step",
        *found,
    )
    _answered(of)
    _unmoved(of)
    _restarts(of)
    _counted(of)
    h.know(implies(at.ready, h.was(at.valid)))
    return h


def _answered(of: Around) -> None:
    """Clocks in which something is asked for, while neither a step nor a restart is."""
    h, m, dut = of.h, of.h.m, of.dut
    at, turns = dut.access, list(of.turns.values())
    most = 2 * max(core.rows for core in dut.cores.values()) + 2
    waited = Signal(range(most + 2), name="waited")
    others = of.computing | dut.tick | dut.restart_now
    with m.If(at.ready | others):
        m.d.sync += waited.eq(0)
    with m.Elif(at.valid):
        m.d.sync += waited.eq(waited + 1)
    h.claim(
        "answered",
        f"what is asked for is answered when it was for {most} clocks, whatever came before, but "
        "for those in which a step is computed or begun, or a restart asked for",
        waited <= most,
    )
    longest = max(turns, key=lambda each: each.core.rows)
    rows, since = longest.core.rows, longest.since
    for each in turns:  # they begin anew together
        h.know(each.since == Mux(since > each.core.rows, each.core.rows + 1, since))
    owed = h.register("restart_waits")
    h.know(
        since != 0,
        implies(owed, waited < since),
        implies(~owed, waited <= rows + since + at.ready),
    )


def _unmoved(of: Around) -> None:
    h, dut = of.h, of.dut
    reads = dut._access.look.any() & ~dut._begin
    kept = [dut._phase, dut._step, dut._frame, dut._age, dut._adding]
    kept += [h.register(name) for name in _KEPT]
    writes = [of.synapses.load.valid, of.spikes.write_ports[0].en]
    writes += [core.write.as_value().any() for core in dut.cores.values()]
    h.claim(
        "unmoved",
        "where a row is read nothing is written, and nothing that a step is made of changes",
        *(implies(reads, ~write) for write in writes),
        *(implies(h.was(reads), register == h.was(register)) for register in kept),
    )


def _restarts(of: Around) -> None:
    h, m, dut = of.h, of.h.m, of.dut
    owed = Signal(name="restart_owed")
    cores = [core.restart for core in dut.cores.values()]
    anew = Cat(cores).all() & ~dut._begin
    with m.If(anew):
        m.d.sync += owed.eq(0)
    with m.Elif(dut.restart_now):
        m.d.sync += owed.eq(1)
    asked = owed | dut.restart_now
    ready = Cat(core.ready for core in dut.cores.values()).all()
    h.claim(
        "anew",
        "all populations begin anew once for a pulse, as soon as no step is computed, and before "
        "another begins or a memory is reached; spikes on their way are forgotten then",
        implies(asked & ~of.computing & ready, anew),
        implies(anew, asked & ~of.computing & ready),
        implies(asked, ~dut._begin & ~dut._access.look.any() & ~dut._access.write.any()),
        *(implies(restart & ~dut._begin, anew) for restart in cores),
        implies(h.was(anew), dut._age == 0),
    )
    h.know(h.register("restart_waits") == owed)


def _counted(of: Around) -> None:
    h, dut, made = of.h, of.dut, of.plan
    total: Any = Const(0, 1)
    for port in range(len(made.bases)):
        flags = []
        for name, core in dut.cores.items():
            lowered = core._fixed.lowered
            for to in lowered.inputs:
                if made.totals[name, to].port != port:
                    continue
                view, (low, high) = core.written[to], lowered.input_limits[to]
                word = view.values[0]
                beyond = of.synapses.limited[port] | (word < low) | (word > high)
                flags.append(view.valid & beyond)
        total = total + Cat(flags).any()
    h.claim(
        "counted",
        "a clock after words of inputs are read, `saturated` is how many of them were limited",
        implies(h.begun, dut.saturated == h.was(total)),
    )
