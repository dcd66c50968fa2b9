"""A population, cut from what its datapath computes, and which row is where."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Const, Mux, Signal, Value

from .....hdl.population import Population
from .....population import FixedPopulation
from ..harness import Harness, implies
from ..neuron import of_any_result

__all__ = ["Around", "cut"]


def cut(dut: Population, fixed: FixedPopulation, **options: Any) -> Harness:
    """A harness around a population whose datapath may compute anything."""
    owner, interval = fixed.population, dut.form.interval
    dut._steps = [of_any_result(type(step))(step.lowered, step.form) for step in dut._steps]
    name = f"{fixed.count} {fixed.name}"
    name += f", {owner.lanes} lanes" if owner.lanes > 1 else ""
    name += f", every {interval} clocks" if interval > 1 else ""
    name += ", memories of one port" if dut.form.single else ""
    h = Harness(name, dut=dut, **options)
    for step in dut._steps:
        h.free(step.next, step.spike)
    return h


class Around:
    """A population whose datapath may compute anything, and a monitor that counts its rows.

    A row is in stage s for the (s + 1)-th clock after the one in which it enters, or, where rows
    are asked for before they enter, is asked for: what is a stage there counts from that clock.

    Attributes
    ----------
    h : Harness
    started : Signal
        A time step begins.
    row, step : Signal
        The row that is in stage 0, or comes there next, and its time step, modulo 4.
    open : Signal
        A time step has begun, and not all its rows have been in stage 0.
    watched : Signal
        Any row.
    short : int
        Registers behind a memory: one where clocks are short.
    sweeping, swept : Value
        Initial states are written still, and of which row; where the bitstream holds them, never.
    """

    def __init__(self, dut: Population, fixed: FixedPopulation, **options: Any) -> None:
        self.dut, self.fixed, self.lowered = dut, fixed, fixed.lowered
        self.h = h = cut(dut, fixed, **options)
        self.m, self.cores = h.m, dut._steps
        self.rows, self.lanes = dut.rows, fixed.population.lanes
        self.interval = dut.form.interval
        self.ahead = dut._ahead
        self.short = dut.form.first
        self.linked = bool(getattr(dut, "_linked", False))
        self.at = {name: stage + self.ahead for name, stage in dut.pipeline.schedule.at.items()}
        self.reads = dut.pipeline.reads
        registers = {signal.name: signal for signal in h.registers()}
        self.sweeping: Value = registers.get("sweeping", Const(0))
        self.swept: Value = registers.get("swept", Const(0))
        self.started = Signal()
        h.m.d.comb += self.started.eq(dut.tick & dut.ready)
        self._count()

    def _count(self) -> None:
        m, h, rows = self.m, self.h, self.rows
        bits = len(self.dut.written.spike.row)
        self.row, self.step, self.open = Signal(bits), Signal(2), Signal()
        self.live = [h.register(self._named(0))]
        self._row, self._step = [self.row], [self.step]
        for _ in range(self.dut.latency + self.interval + self.ahead):
            self.live.append(h.was(self.live[-1]))
            row, step, before = Signal(bits), Signal(2), self._row[-1]
            m.d.comb += [row.eq(before), step.eq(self._step[-1])]
            with m.If(self.live[-1]):
                m.d.comb += row.eq(Mux(before == 0, rows - 1, before - 1))
                m.d.comb += step.eq(self._step[-1] - (before == 0))
            self._row.append(row)
            self._step.append(step)
        with m.If(self.live[0]):
            m.d.sync += self.row.eq(Mux(self.row == rows - 1, 0, self.row + 1))
            m.d.sync += self.step.eq(self.step + (self.row == rows - 1))
            with m.If(self.row == rows - 1):
                m.d.sync += self.open.eq(0)
        with m.If(self.started):
            m.d.sync += self.open.eq(1)
        self.watched = h.constant(bits, "watched")
        h.assume(self.watched < rows)

    def _named(self, stage: int) -> str:
        """What the register that says whether a row is in a stage is called."""
        if stage >= self.ahead:
            return f"live_{stage - self.ahead}"
        return "enters" if stage == self.ahead - 1 else f"asked_{stage + 1}"

    def of(self, cell: Any) -> int:
        """The stage of a cell."""
        return int(cell.stage) + self.ahead

    def row_at(self, stage: int) -> Signal:
        """The row in a stage, or the one that comes there next."""
        return self._row[stage]

    def step_at(self, stage: int) -> Signal:
        """Its time step, modulo 4."""
        return self._step[stage]

    def step_after(self, stage: int) -> Value:
        """The time step of the row that comes next into a stage, modulo 4."""
        if stage == 0:
            return (self.step + (self.live[0] & self.is_last(0)))[:2]
        return self._step[stage - 1]

    def is_last(self, stage: int) -> Value:
        return self._row[stage] == self.rows - 1

    def here(self, stage: int) -> Value:
        """The watched row is in a stage."""
        return self.live[stage] & (self._row[stage] == self.watched)

    def under_way(self, stage: int) -> Value:
        """The watched row has been in stage 0, and not yet in the one after ``stage``."""
        return Cat(self.here(s) for s in range(1, stage + 1)).any()

    @property
    def running(self) -> Value:
        """Rows of the step are still to enter."""
        return self.open & ~(self.live[0] & self.is_last(0))

    def tie(self) -> None:
        """What ties the registers that let rows enter, and number them, to the monitor."""
        h, live, rows = self.h, self.live, self.rows
        h.know(implies(live[0], self.open), self.row < rows)
        h.know(implies(~self.open, self.row == 0))
        h.know(h.register("running") == self.running)
        registers = {signal.name: signal for signal in h.registers()}
        after = self.next
        first = f"row_at_0{(1 + self.ahead) * '_before'}"
        if first in registers:
            h.know(registers[first] == after)
        for stage in range(len(live)):
            if self._named(stage) in registers:
                h.know(registers[self._named(stage)] == live[stage])
            own = stage - self.ahead
            name = f"row_at_{max(own, 0)}{-min(own, 0) * '_before'}"
            if name in registers:
                h.know(registers[name] == self._row[stage])
        if self.interval > 1:
            phase = registers["phase"]
            h.know(Cat(phase == 1 << k for k in range(self.interval)).any())
            for stage, here in enumerate(live):
                h.know(implies(here, phase[(stage - self.ahead) % self.interval]))
        last = max(self.at.values())
        h.know(implies(self.sweeping, ~Cat(self.open, live[: last + 1]).any()), self.swept < rows)
        under_way = self.to_come(last)
        h.know(under_way != 3, registers["begun"] == (self.step + self.open)[0])
        h.know(registers["over"] == registers["begun"] ^ under_way[0])
        if not self.overlaps:
            current = Mux(self.open, self.step, self.step - 1)[:2]
            h.know(*(implies(live[s], self._step[s] == current) for s in range(1, last + 1)))

    @property
    def next(self) -> Value:
        """The row that comes next into stage 0."""
        return Mux(self.live[0], Mux(self.is_last(0), 0, self.row + 1), self.row)

    @property
    def overlaps(self) -> bool:
        """A step may begin while rows of the one before are under way."""
        return self.dut.clocks_a_step <= self.rows * self.interval + 1

    def to_come(self, stage: int) -> Value:
        """Steps that have begun, and whose last row has not been in a stage before this clock."""
        last = [self.live[s] & self.is_last(s) for s in range(1, stage + 1)]
        total: Value = self.open + Const(0, 2)
        for flag in last:
            total = (total + flag)[:2]
        return total
