"""What is claimed of a population's inputs: every word counts once, in its row and its step."""

from __future__ import annotations

from amaranth import Cat, Mux, Shape, Signal, Value

from .....hdl.population import Population
from .....population import FixedPopulation
from .....words import quantize
from ..harness import Harness, implies
from .around import Around

__all__ = ["inputs"]

_WORD = Shape(16, signed=True)
_MOST = (1 << 15) - 1


def inputs(dut: Population, fixed: FixedPopulation) -> Harness:
    """The claims of a population's inputs, whatever its datapath computes."""
    at = Around(dut, fixed, search=2 * (dut.clocks_a_step + dut.latency) + 8)
    at.tie()
    _Sums(at)
    return at.h


class _Sums:
    """The watched row's sums: what is added up for the next step, and what the last two had."""

    def __init__(self, at: Around) -> None:
        self.at, self.h, self.dut = at, at.h, at.dut
        h, m, i = at.h, at.m, at.dut.i
        h.assume(implies(i.valid, i.payload.row < at.rows))
        self.next = Signal()  # the step, modulo 2, for which words add up
        m.d.sync += self.next.eq(self.next ^ at.started)
        self.clocks = 2 + at.short  # from a word to its sum
        self.accepted = Signal()
        m.d.comb += self.accepted.eq(i.valid & i.ready & (i.payload.row == at.watched))
        self._tie()
        self.apart: list[Value] = []
        core, rest = [], []
        for name in at.lowered.inputs:
            if name not in at.reads:
                continue
            default = int(quantize(at.fixed.one.input_defaults[name], name))
            for lane in range(at.lanes):
                reads, holds = self._sum(name, lane, default)
                core.append(reads)
                rest += holds
        h.claim(
            "inputs",
            "what the datapath reads of a row's input is its default and all words that were "
            "accepted for the row between the tick before and that of the step, each once, "
            "limited to a word after each",
            *core,
            implies(at.started, ~(i.valid & i.ready)),
        )
        h.claim(
            "inputs_apart",
            "no sum is written in the clock in which it is read",
            *self.apart,
        )
        same, none = self._lately()
        h.claim(
            "inputs_taken",
            "a word is accepted but for the clock of a tick, while two steps are under way, and "
            f"in the {self.clocks} clocks after one for the same row",
            i.ready == (~at.started & self.settled & ~same),
        )
        sweeps = at.dut.form.single
        over = at.overlaps or at.to_come(max(at.at.values())) == 0
        h.claim(
            "ready",
            "a tick is taken when all rows of the step before have "
            + ("entered" if at.overlaps else "been written")
            + f", but for the {self.clocks} clocks after a word"
            + (", and for the time in which initial states are written" if sweeps else ""),
            at.dut.ready == (~at.running & over & none & ~at.sweeping),
        )
        if rest:
            h.claim(
                "inputs_stay",
                f"it stays for the {at.interval} clocks of its stage, or to the row's last write",
                *rest,
            )

    def _tie(self) -> None:
        at, h = self.at, self.h
        r = {signal.name: signal for signal in h.registers()}
        # whether there is a word in each of the clocks to its sum, and of which row
        self.adds, self.rows = list(r["adds"]), [r[f"row_{k}"] for k in range(self.clocks)]
        self.settled = at.to_come(max(at.at.values())) != 2
        adds_up = Mux(self.settled, Mux(self.next, 0b10, 0b01), 0)
        h.know(r["begun"] == self.next, r["adds_up"] == adds_up)
        h.know(implies(Cat(self.adds).any(), self.settled))
        for k, (here, row) in enumerate(zip(self.adds, self.rows, strict=True)):
            h.know(implies(here, row < at.rows))
            others = zip(self.adds[:k], self.rows[:k], strict=True)
            h.know(*(~(here & other & (row == its)) for other, its in others))

    def _lately(self) -> tuple[Value, Value]:
        """Whether a word was accepted for the same row in the last clocks, and if none was."""
        h, i = self.h, self.dut.i
        taken, row = i.valid & i.ready, i.payload.row
        before = [(h.was(taken), h.was(row))]
        while len(before) < self.clocks:
            before.append((h.was(before[-1][0]), h.was(before[-1][1])))
        for (flag, at), adds, its in zip(before, self.adds, self.rows, strict=True):
            h.know(adds == flag, implies(flag, its == at))
        same = Cat(flag & (at == row) for flag, at in before).any()
        return same, ~Cat(flag for flag, _ in before).any()

    def _sum(self, name: str, lane: int, default: int) -> tuple[Value, list[Value]]:
        at, h, m, dut = self.at, self.h, self.at.m, self.dut
        stage, core = at.reads[name].stage, at.cores[lane]
        port = core.ports[at.reads[name].name]
        of = f"{name}_{lane}"
        total = Signal(_WORD, init=default, name=f"{of}_sum")
        given = [Signal(_WORD, init=default, name=f"{of}_given_{b}") for b in range(2)]
        with m.If(self.accepted):
            m.d.sync += total.eq(_limited(total + dut.i.payload[name][lane]))
        with m.If(at.started):
            m.d.sync += total.eq(default)
            for b in range(2):
                with m.If(self.next == b):
                    m.d.sync += given[b].eq(total)
        expected = Mux(at.step_at(stage)[0], given[1], given[0])
        self._tie_sum(name, lane, default, total, given)
        until = min(stage + at.interval - 1, max(at.at.values()))
        held = [implies(at.live[s], port == h.was(port)) for s in range(stage + 1, until + 1)]
        return implies(at.here(stage), port == expected), held

    def _tie_sum(
        self, name: str, lane: int, default: int, total: Signal, given: list[Signal]
    ) -> None:
        at, h, sums = self.at, self.h, f"dut.{name.replace('.', '_')}"
        stage, last = at.reads[name].stage, max(at.at.values())
        r = {signal.name: signal for signal in h.registers(sums)}
        added, summed = r[f"added_{lane}"], r[f"total_{lane}"]
        mine = [a & (row == at.watched) for a, row in zip(self.adds, self.rows, strict=True)]
        adding, adds = mine[0], mine[-1]
        read = stage - at.short  # it is at the memory's own output
        if lane == 0:
            h.know(h.register(f"{name}_bank") == at.step_after(read)[0])
            h.know(implies(self.adds[0], r["adding"] == self.next))
            for k in range(at.interval):
                h.know(implies(at.live[read + k], r["of_bank"] == at.step_at(read + k)[0]))
                if at.short:
                    shown = r["of_bank_kept"] == at.step_at(stage + k)[0]
                    h.know(implies(at.live[stage + k], shown))
            if at.short:
                h.know(implies(self.adds[1], r["adding_kept"] == self.next))
        raws = [h.part(sums, f"bank_{b}_{lane}").read_ports[0].data for b in range(2)]
        if at.short:
            raw, port = (
                Mux(r["of_bank"], raws[1], raws[0]),
                at.cores[lane].ports[at.reads[name].name],
            )
            until = min(stage + at.interval - 1, last)
            h.know(*(implies(at.live[s], raw == port) for s in range(stage, until)))
        for b, found in enumerate(raws):
            memory = h.part(sums, f"bank_{b}_{lane}")
            has = h.look(f"{sums}.bank_{b}_{lane}", at.watched).as_signed()
            waits = at.open & (at.step[0] == b) & (at.watched >= at.row)
            passes = [at.here(s) & (at.step_at(s)[0] == b) for s in range(1, last + 1)]
            used = Cat(waits, *passes).any()  # by a step that is under way
            adds_up = (self.next == b) & self.settled
            h.know(implies(used, (has == given[b]) & ~adds_up))
            h.know(implies(~used & ~adds_up, has == default))
            h.know(implies(adds_up & ~Cat(mine).any(), has == total))
            h.know(implies(adds_up & adds, _limited(summed) == total))
            h.know(implies(adds_up & adding, (found == has) & (_limited(has + added) == total)))
            here = at.here(read) & (at.step_at(read)[0] == b)
            h.know(implies(here, found == given[b]))
            if at.short:
                kept, later = r[f"kept_{b}_{lane}"], r[f"later_{lane}"]
                added_up = _limited(has + later) == total
                h.know(implies(adds_up & mine[1], (kept == has) & added_up))
                shown = at.here(stage) & (at.step_at(stage)[0] == b)
                h.know(implies(shown, kept == given[b]))
            if lane == 0:
                write = memory.write_ports[0]
                writes = write.en & (write.addr == at.watched[: len(write.addr)])
                self.apart.append(implies(here, ~h.was(writes)))
                self.apart.append(~(self.accepted & adds_up & writes))
        h.know(implies(~self.settled, total == default))


def _limited(value: Value) -> Value:
    high = Mux(value > _MOST, _MOST, value)
    return Mux(value < -_MOST - 1, -_MOST - 1, high)[:16].as_signed()
