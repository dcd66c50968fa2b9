"""What is claimed of a population's rows: each is read, computed and written once a step."""

from __future__ import annotations

from typing import Any, TypeAlias

from amaranth import Array, Const, Mux, Signal, Value

from .....hdl.population import SINGLE, Population, plain
from .....population import FixedPopulation
from ..harness import Harness, implies
from .around import Around

__all__ = ["claim_rows", "rows"]


def rows(dut: Population, fixed: FixedPopulation) -> Harness:
    """The claims of a population's states and rows, whatever its datapath computes."""
    at = Around(dut, fixed, search=3 * (dut.clocks_a_step + dut.latency) + 8)
    claim_rows(at)
    return at.h


def claim_rows(at: Around) -> None:
    """The same, of a population that is in a harness."""
    at.tie()
    pending = {name: _pending(at, name) for name in at.at}
    _once(at, pending)
    _done(at, pending)
    _mixed(at, pending)
    _states(at)
    _draws(at)


_Pending: TypeAlias = dict[str, tuple[Signal, Value]]


def _pending(at: Around, name: str) -> tuple[Signal, Value]:
    """Steps that have begun and of which not all rows of a state were written; one is, now."""
    view, left = at.dut.written[name], Signal(2, name=f"{name}_pending")
    ends = view.valid & (view.row == at.rows - 1)
    at.m.d.sync += left.eq(left + at.started - ends)
    at.h.know(left == at.to_come(at.at[name]))
    return left, ends


def _once(at: Around, pending: _Pending) -> None:
    h, m, conditions = at.h, at.m, []
    for name, (left, _) in pending.items():
        view, turn = at.dut.written[name], Signal.like(at.row, name=f"{name}_turn")
        with m.If(view.valid):
            m.d.sync += turn.eq(Mux(turn == at.rows - 1, 0, turn + 1))
        h.know(turn == at.row_at(at.at[name]))
        conditions += [implies(view.valid, view.row == turn), implies(view.valid, left != 0)]
    h.claim(
        "once",
        "for every accepted tick each row of each state, and of the spikes, is written once, in "
        "turn, and no other is ever written",
        *conditions,
    )


def _done(at: Around, pending: _Pending) -> None:
    h, dut, last = at.h, at.dut, max(at.at.values())
    left = Signal(2, name="done_pending")
    at.m.d.sync += left.eq(left + at.started - dut.done)
    h.know(left == at.to_come(last))
    latest = [ends for name, (_, ends) in pending.items() if at.at[name] == last]
    h.claim(
        "done",
        "`done` rises once for every accepted tick, in the clock of the last write of its step",
        *(dut.done == ends for ends in latest),
        implies(dut.done, left != 0),
        *(
            implies(dut.done, (mine - ends)[:2] == (left - 1)[:2])
            for mine, ends in pending.values()
        ),
    )


def _mixed(at: Around, pending: _Pending) -> None:
    """Between two entries of a row there is the write of every state, in an earlier clock."""
    h, m, conditions = at.h, at.m, []
    here = at.here(0)
    for name in at.at:
        view, owed = at.dut.written[name], Signal(name=f"{name}_owed")
        writes = view.valid & (view.row == at.watched)
        with m.If(here):
            m.d.sync += owed.eq(1)
        with m.Elif(writes):
            m.d.sync += owed.eq(0)
        h.know(owed == at.under_way(at.at[name]))
        conditions += [implies(here, ~h.was(owed) & ~owed), implies(writes, owed)]
    h.claim(
        "mixed",
        "a row enters only when all that was to be written of it in the step before has been, and "
        "a step begins only when all rows of the one before have entered",
        *conditions,
        implies(at.started, ~at.running),
        *([] if at.overlaps else [implies(at.started, left == 0) for left, _ in pending.values()]),
    )


def _states(at: Around) -> None:
    """What the core reads of a row is what was written of it last."""
    h, m, conditions, found = at.h, at.m, [], []
    for name, cell in at.reads.items():
        if name not in at.lowered.registers:
            continue
        for lane, core in enumerate(at.cores):
            values = at.fixed.initial[name][lane :: at.lanes].tolist()
            values += [values[0]] * (at.rows - len(values))
            port: Any = core.ports[cell.name]
            expected: Any = Signal(port.shape(), name=f"{name}_{lane}_expected")
            initial = Array(values)[at.watched]
            kept, fresh = Signal(port.shape(), name=f"{name}_{lane}_kept"), Signal(init=1)
            m.d.comb += expected.eq(Mux(fresh, initial, kept))
            if name in at.at:
                view = at.dut.written[name]
                with m.If(view.valid & (view.row == at.watched)):
                    m.d.sync += [kept.eq(view.values[lane]), fresh.eq(0)]
            if at.linked:  # it may be written from outside
                with m.If(at.dut.write[name] & (at.dut.place == at.watched)):
                    m.d.sync += [kept.eq(at.dut.given[: len(kept)]), fresh.eq(0)]
            if name in at.at:
                if at.ahead:  # it may begin anew
                    with m.If(at.dut.restart):
                        m.d.sync += fresh.eq(1)
                h.know(implies(at.sweeping, fresh))
            memory = f"dut.{plain(name)}_{lane}"
            if not h.has(memory):
                memory = memory.replace(".", f".{SINGLE}")
            has = h.look(memory, at.watched)
            if at.ahead:
                h.know(implies(~at.sweeping, at.swept == 0))
            swept = at.sweeping & (at.swept <= at.watched) if name in at.at else Const(0)
            h.know((has == expected) | swept)
            begins = f"begins_{plain(name)}"
            if h.has(f"dut.{begins}"):
                read = h.part("dut", begins).read_ports[0].data
                now = at.sweeping & (at.swept == at.watched)
                h.know(h.look(f"dut.{begins}", at.watched) == initial)
                h.know(implies(now, read == initial))
            if at.short:  # it is in the memory's own output a clock before
                raw = h.part("dut", memory.removeprefix("dut.")).read_ports[0].data
                h.know(implies(at.here(at.of(cell) - 1), raw == expected))
                later = at.live[at.of(cell) : at.of(cell) + at.interval - 1]
                h.know(
                    *(implies(here, raw == h.was(raw)) for here in later if not at.dut.form.single)
                )
            conditions.append(implies(at.here(at.of(cell)), port == expected))
            if at.linked:
                looks = at.dut.look & (at.dut.place == at.watched)
                found.append(implies(h.was(looks), at.dut.found[name] == h.was(expected)))
            for k in range(1, at.interval):
                conditions.append(implies(at.live[at.of(cell) + k], port == h.was(port)))
    h.claim(
        "states",
        "what the datapath reads of a row's states is what was written of it last, or its initial "
        f"value, and stays for the {at.interval} clocks of its stage"
        if at.interval > 1
        else "what the datapath reads of a row's states is what was written of it last, or its "
        "initial value",
        *conditions,
    )
    if at.linked:
        h.claim(
            "found",
            "a clock after a row is asked for from outside it is there, of every register: what "
            "was written last, from inside or outside, or its initial value",
            *found,
        )


def _draws(at: Around) -> None:
    h, conditions = at.h, []
    for name, drawn in (("noise", at.lowered.drawn), ("dither", at.lowered.dither)):
        cells = [at.reads[draw] for draw in drawn if draw in at.reads]
        if not cells:
            continue
        lfsr, stage = h.part("dut.noises" if at.ahead else "dut", name), at.of(cells[0])
        held = [at.live[stage + k] for k in range(at.interval - 1)]
        conditions += [
            lfsr.en == at.live[stage + at.interval - 1],
            *(implies(here, ~lfsr.en) for here in held),
        ]
        for lane, core in enumerate(at.cores):
            for cell in cells:
                word = lfsr.o.word_select(lane * len(drawn) + drawn.index(cell.node.meta), 16)
                port = Value.cast(core.ports[cell.name])
                conditions.append(port == word[: len(port)])
    if conditions:
        h.claim(
            "draws",
            "the LFSRs go on once for every row, in the last clock in which its draws are used, "
            "and each lane has draws of its own",
            *conditions,
        )
