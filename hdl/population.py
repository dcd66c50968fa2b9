"""A population: many neurons that share a datapath, their states in memories."""

from itertools import pairwise
from typing import Any

import numpy as np
from amaranth import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..compiler.pipeline.cells import Cell
from ..compiler.pipeline.form import Form
from ..errors import ScneuroError
from ..population import FixedPopulation
from ..stochastic import LFSR as Sequence
from ..words import quantize
from .lfsr import LFSR
from .neuron import hand_written
from .queue import Queue
from .step import Step
from .sums import Sums

#: What the names of memories with one port begin with.
SINGLE = "single_"

__all__ = ["SINGLE", "Population", "plain", "row_layout", "spike_layout", "written_layout"]

_WORD = Shape(16, signed=True)
_STEP_BITS = 16
_QUEUE = 256  # rows that wait to be sent, at least: a block RAM has as many


def row_layout(population: FixedPopulation) -> data.StructLayout:
    """What is added to the inputs of a row: its number, and for every input a word a lane."""
    lanes = population.population.lanes
    words = {name: data.ArrayLayout(_WORD, lanes) for name in population.lowered.inputs}
    return data.StructLayout({"row": _bits(rows_of(population)), **words})


def spike_layout(population: FixedPopulation) -> data.StructLayout:
    """A spike: the neuron, and the time step, counted from 0 modulo 65,536."""
    return data.StructLayout({"neuron": _bits(population.count), "step": _STEP_BITS})


def written_layout(population: FixedPopulation, step: Step) -> data.StructLayout:
    """What is written in a clock, for those who look on: by state, the row and all lanes."""
    lanes, rows = population.population.lanes, rows_of(population)
    fields: dict[str, Any] = {}
    for name in (*step.written, "spike"):
        shape: Any = Shape(1) if name == "spike" else step.next[name].shape()
        fields[name] = data.StructLayout(
            {"valid": 1, "row": _bits(rows), "values": data.ArrayLayout(shape, lanes)}
        )
    return data.StructLayout(fields)


def rows_of(population: FixedPopulation) -> int:
    """How many neurons each lane has; the last may be one that is left out."""
    return -(-population.count // population.population.lanes)


def _bits(count: int) -> int:
    return max(1, (count - 1).bit_length())


class Population(wiring.Component):
    """Neurons in memories around as many pipelines as there are lanes.

    A time step goes through all rows: in row r are the neurons r * lanes + lane, one for each
    lane. A row enters every ``interval`` clocks; its states are read in the stages that want them
    and written where they are there. Two steps are never mixed: a row enters again only when it
    has been written.

    Input words add up in one of two banks while the other is read: what was accepted before a
    ``tick`` counts in the step that it starts. A word that is read gives way to the input's
    default, to which the next ones are added; sums saturate.

    Parameters
    ----------
    population : FixedPopulation
    form : Form, optional
        Of its datapath, which is ``stored``; its interval is the population's.

    Members
    -------
    i : In(stream of :func:`row_layout`)
        Adds to the inputs of a row. Rows in turn are taken one a clock.
    tick : In(1)
        Start a time step; it is one when ``ready`` is there, too.
    ready : Out(1)
    done : Out(1)
        The last state of a step is written in this clock.
    o : Out(stream of :func:`spike_layout`)
        All spikes, in order; what does not take them makes the neurons wait.
    written : Out(:func:`written_layout`)

    Raises
    ------
    ScneuroError
        The neuron brings its own hardware, or draws noise in lanes of which some are left out.
    """

    i: Any
    o: Any
    tick: Signal
    ready: Signal
    done: Signal
    written: data.View

    def __init__(self, population: FixedPopulation, form: Form | None = None) -> None:
        if not isinstance(population, FixedPopulation):
            raise TypeError(
                "hdl.Population takes the integers of a population, such as population.fixed(), "
                f"not {type(population).__name__}"
            )
        owner = population.population
        if owner.neuron.hardware(population.one) is not None:
            raise hand_written(population.name)
        if population.lowered.noise and population.count % owner.lanes:
            raise ScneuroError(
                f"{population.name} draws noise, and {population.count} neurons do not fill "
                f"{owner.lanes} lanes",
                f"take a multiple of {owner.lanes} neurons, or other lanes",
            )
        self._fixed, self._lanes = population, owner.lanes
        self.form = form or Form(interval=owner.interval, stored=True)
        if self.form.single and not population.is_uniform:
            raise ScneuroError(
                f"{population.name}: what the bitstream does not fill starts all neurons alike",
                "leave out init, or take fewer neurons",
            )
        self.rows = rows_of(population)
        self._steps = [Step(population.lowered, self.form) for _ in range(owner.lanes)]
        super().__init__(
            {
                **self._ports(),
                "tick": In(1),
                "ready": Out(1),
                "done": Out(1),
                "written": Out(self._written()),
            }
        )

    #: Clocks from a row's being asked for to its entering.
    _ahead = 0

    def _ports(self) -> dict[str, Any]:
        """How inputs come and spikes leave."""
        return {
            "i": In(stream.Signature(row_layout(self._fixed))),
            "o": Out(stream.Signature(spike_layout(self._fixed))),
        }

    def _written(self) -> data.StructLayout:
        """What is shown of what is written."""
        return written_layout(self._fixed, self._steps[0])

    @property
    def pipeline(self) -> Any:
        """That of its datapath."""
        return self._steps[0].pipeline

    @property
    def latency(self) -> int:
        """Clocks from a row's entering to its last write."""
        return self._steps[0].latency + 1

    @property
    def clocks_a_step(self) -> int:
        """Clocks from the start of a time step to that of the next, at least."""
        rows = self.rows * self.form.interval
        return rows + 1 if self._overlaps else rows + self.latency + 2

    @property
    def _short(self) -> bool:
        """Whether a clock is too short for a memory and what is made of what it gives."""
        return self.form.deep == 0

    @property
    def _sweeps(self) -> bool:
        """Whether states are given their initial values row by row."""
        return self.form.single

    @property
    def _last(self) -> int:
        """The stage in which the last state of a row is written."""
        return int(max(self.pipeline.schedule.at.values()))

    @property
    def _overlaps(self) -> bool:
        """Whether the first row is written before the last has entered."""
        return self.rows * self.form.interval >= self.latency + 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._live = _Live(m, self.rows, self.latency + self.form.interval, self._ahead)
        self._kept: dict[str, list[Value]] = {}  # what was read of states, by lane
        self._sweep(m)
        steps = self._steps
        for lane, step in enumerate(steps):
            m.submodules[f"step_{lane}"] = step
        self._control(m, steps)
        for name, cell in self.pipeline.reads.items():
            if name in self._fixed.lowered.registers:
                self._state(m, cell, steps)
        self._show(m, steps)
        self._inputs(m, steps)
        self._noise(m, steps)
        self._waits(m, steps)
        return m

    # -- when what is where ------------------------------------------------------------------
    def _control(self, m: Module, steps: list[Step]) -> None:
        """Let rows enter, one every ``interval`` clocks, and spikes leave."""
        live, every = self._live, self.form.interval
        running, enter = Signal(name="running"), Signal(name="enter")
        phase = Signal(every, init=1 << (every - 1), name="phase") if every > 1 else Const(1)
        if every > 1:  # stage 0 is in phase 0, the clock after a row enters
            m.d.sync += phase.eq(phase.rotate_left(1))
            for step in steps:
                m.d.comb += step.enable.eq(phase)
        self._started = started = Signal()
        self._free = Signal(init=1)  # no input is on its way to its sum
        # steps that began and are over, modulo 2: one may begin before the last is over
        self._begun, self._over = Signal(name="begun"), Signal(name="over")
        drained = Const(1) if self._overlaps else self._begun == self._over
        room = self._spikes(m, steps)
        m.d.comb += [
            self.ready.eq(~running & drained & self._free & ~self._sweeping),
            started.eq(self.tick & self.ready),
            enter.eq(running & room & phase[(every - 1 - self._ahead) % every]),
        ]
        live.enter(enter)
        with m.If(started):
            m.d.sync += [running.eq(1), self._begun.eq(~self._begun)]
        with m.If(enter & live.is_last(-1 - self._ahead)):
            m.d.sync += running.eq(0)
        m.d.comb += self.done.eq(live.at(self._last) & live.is_last(self._last))
        with m.If(self.done):
            m.d.sync += self._over.eq(~self._over)

    def _fired(self, m: Module, steps: list[Step]) -> tuple[int, Signal]:
        """Show the spikes of every row: the stage in which they are there, and the lanes'."""
        live, stage = self._live, self.pipeline.schedule.at["spike"]
        fired = Cat(step.spike for step in steps)
        left_out = self.rows * self._lanes - self._fixed.count
        if left_out:  # lanes of the last row in which there is no neuron
            whole = (1 << self._lanes) - 1
            fired = fired & Mux(live.is_last(stage), whole >> left_out, whole)
        spikes = Signal(self._lanes)
        view = self.written.spike
        m.d.comb += [
            spikes.eq(fired),
            view.valid.eq(live.at(stage)),
            view.row.eq(live.row(stage)),
            view.values.as_value().eq(spikes),
        ]
        return stage, spikes

    def _spikes(self, m: Module, steps: list[Step]) -> Value:
        """Queue the spikes of every row, and the end of every step; whether there is room."""
        live, (stage, spikes) = self._live, self._fired(m, steps)
        row, last = live.row(stage), live.is_last(stage)
        ahead = stage // self.form.interval + 3  # rows that may be between here and the queue
        margin = 1 << (ahead - 1).bit_length()
        word = Shape(len(row) + self._lanes + 1)
        m.submodules.queue = queue = Queue(word, max(_QUEUE, 2 * margin), margin, kept=self._short)
        m.d.comb += [
            queue.word.eq(Cat(row, spikes, last)),
            queue.write.eq(live.at(stage) & (spikes.any() | last)),
        ]
        self._send(m, queue.o, len(row))
        return queue.room

    def _send(self, m: Module, queued: Any, row_bits: int) -> None:
        """Send what is queued, a spike a clock, with the time step."""
        row = queued.payload[:row_bits]
        spikes = queued.payload[row_bits : row_bits + self._lanes]
        last = queued.payload[-1]
        step = Signal(_STEP_BITS)
        sent = Signal(self._lanes)  # of this row
        left = Signal(self._lanes)
        lane = Signal(range(self._lanes)) if self._lanes > 1 else Const(0, 0)
        m.d.comb += left.eq(spikes & ~sent)
        for k in reversed(range(self._lanes)):
            with m.If(left[k]):
                if self._lanes > 1:
                    m.d.comb += lane.eq(k)
        one, several = _counted(list(left))
        lowest = Cat(left[k] & ~left[:k].any() for k in range(self._lanes))
        go = Signal()
        m.d.comb += [
            self.o.valid.eq(queued.valid & one),
            self.o.payload.neuron.eq(Cat(lane, row)),
            self.o.payload.step.eq(step),
            go.eq(queued.valid & (~self.o.valid | self.o.ready)),
            queued.ready.eq(go & ~several),
        ]
        with m.If(queued.ready):
            m.d.sync += [sent.eq(0), step.eq(step + last)]
        with m.Elif(go):
            m.d.sync += sent.eq(sent | lowest)

    # -- memories ----------------------------------------------------------------------------
    def _sweep(self, m: Module) -> None:
        """Write every row's initial states first, where the bitstream does not hold them."""
        self._sweeping: Value = Const(0)
        if not self._sweeps:
            return
        self._sweeping = Signal(init=self.form.single, name="sweeping")
        self._swept = Signal(_bits(self.rows), name="swept")
        with m.If(self._sweeping):
            m.d.sync += self._swept.eq(self._swept + 1)
            with m.If(self._swept == self.rows - 1):
                m.d.sync += [self._sweeping.eq(0), self._swept.eq(0)]

    def _state(self, m: Module, cell: Cell, steps: list[Step]) -> None:
        """A state of all neurons: read in the stage of its cell, written where it is there."""
        live, name = self._live, cell.node.meta
        shape = Shape(cell.node.width, signed=cell.node.signed)
        at = self.pipeline.schedule.at.get(name)
        self._kept[name] = []
        for lane, step in enumerate(steps):
            values = self._initial(name)[lane :: self._lanes].tolist()
            values += [values[0]] * (self.rows - len(values))
            if self.form.single and at is not None:
                self._single(m, cell, lane, step, shape, values[0])
                continue
            memory = Memory(shape=shape, depth=self.rows, init=values)
            m.submodules[f"{plain(name)}_{lane}"] = memory
            read = memory.read_port()
            self._kept[name].append(read.data)
            found = self._registered(m, read.data, f"{plain(name)}_{lane}")
            m.d.comb += [
                read.addr.eq(self._reads(cell.stage)[1]),
                step.ports[cell.name].eq(found),
            ]
            self._hold(m, read, cell.stage)
            besides = self._besides(cell, values[0])
            if at is None and besides is None:
                continue
            write = memory.write_port()
            if at is None:
                enabled, address, fresh = besides
            else:
                address, fresh, enabled = live.row(at), step.next[name], live.at(at)
                if besides is not None:
                    now, row, value = besides
                    address, fresh = Mux(now, row, address), Mux(now, value, fresh)
                    enabled = now | enabled
            m.d.comb += [write.addr.eq(address), write.data.eq(fresh), write.en.eq(enabled)]

    def _reads(self, stage: int) -> tuple[Value, Value]:
        """When a row of states is read for a stage, and which one."""
        before = stage - 1 - self.form.first
        return self._live.at(before), self._live.row(before)

    def _registered(self, m: Module, read: Value, name: str) -> Value:
        """What a memory gives, or where clocks are short, the register behind it."""
        if not self._short:
            return read
        register = Signal(read.shape(), name=f"{name}_read", reset_less=True)
        m.d.sync += register.eq(read)
        return register

    def _besides(self, cell: Cell, initial: Any) -> Any:
        """What writes a state but its update: when, which row, and what; None if nothing does."""
        if not self._sweeps or cell.node.meta not in self.pipeline.schedule.at:
            return None
        return self._sweeping, self._swept, initial

    def _initial(self, name: str) -> np.ndarray:
        """What the registers of a state begin with, row by row."""
        return self._fixed.initial[name]

    def _show(self, m: Module, steps: list[Step]) -> None:
        """Show what is written of every state, also of one that nothing reads."""
        for name in steps[0].written:
            at, view = self.pipeline.schedule.at[name], self.written[name]
            m.d.comb += [view.valid.eq(self._live.at(at)), view.row.eq(self._live.row(at))]
            m.d.comb += [view.values[k].eq(step.next[name]) for k, step in enumerate(steps)]

    def _single(
        self, m: Module, cell: Cell, lane: int, step: Step, shape: Shape, initial: int
    ) -> None:
        """A state in a memory of one port, which has its initial values from a sweep."""
        live, name = self._live, cell.node.meta
        at = self.pipeline.schedule.at[name]
        memory = Memory(shape=shape, depth=self.rows, init=[], attrs={"ram_style": "huge"})
        m.submodules[f"{SINGLE}{plain(name)}_{lane}"] = memory
        read, write = memory.read_port(), memory.write_port()
        self._kept[name].append(read.data)
        address = Signal(_bits(self.rows), name=f"{plain(name)}_{lane}_row")
        now, row, value = self._besides(cell, initial)
        reads, read_row = self._reads(cell.stage)
        m.d.comb += [
            write.en.eq(now | live.at(at)),
            address.eq(Mux(write.en, Mux(now, row, live.row(at)), read_row)),
            read.addr.eq(address),
            write.addr.eq(address),
            write.data.eq(Mux(now, value, step.next[name])),
            read.en.eq(reads & ~write.en),
        ]
        held = Signal(shape, name=f"{plain(name)}_{lane}_held")
        # what was read is there for a clock: the next may write
        fresh = live.at(cell.stage - self.form.first)
        with m.If(fresh):
            m.d.sync += held.eq(read.data)
        found = held if self._short else Mux(fresh, read.data, held)
        m.d.comb += step.ports[cell.name].eq(found)

    def _hold(self, m: Module, read: Any, stage: int) -> None:
        """Let a row that is read for a stage stay for as many clocks as an update takes."""
        if self.form.interval > 1:
            m.d.comb += read.en.eq(self._reads(stage)[0])

    def _inputs(self, m: Module, steps: list[Step]) -> None:
        """The sums of every input: a row's begin again as its last state is written."""
        lowered, live, row = self._fixed.lowered, self._live, self.i.payload.row
        bank, behind = self._begun, self._over  # that adds up, and that is cleared
        # by bank, whether it adds up: none while two steps are under way
        adds_up = Signal(2, init=1, name="adds_up")
        settled, both, later = adds_up.any(), Signal(), Signal()
        m.d.comb += [
            both.eq(~self.done & (~settled | (self._started & (bank != behind)))),
            later.eq(bank ^ self._started),
        ]
        m.d.sync += adds_up.eq(Cat(~both & ~later, ~both & later))
        clocks = 2 + self._short  # until a sum is written
        adds = Signal(clocks, name="adds")
        rows = [Signal.like(row, name=f"row_{k}") for k in range(clocks)]
        same = Cat(adds[k] & (rows[k] == row) for k in range(clocks)).any()
        m.d.comb += [
            self._free.eq(~adds.any()),
            self.i.ready.eq(settled & ~same & ~self._started),
        ]
        m.d.sync += adds.eq(Cat(self.i.valid & self.i.ready, adds))
        m.d.sync += [later.eq(earlier) for earlier, later in pairwise((row, *rows))]
        for name in lowered.inputs:
            if (cell := self.pipeline.reads.get(name)) is None:
                continue
            word = lowered.input_words[name]
            default = int(quantize(self._fixed.one.input_defaults[name], name, word))
            m.submodules[plain(name)] = sums = Sums(
                self.rows, self._lanes, default, kept=self._short
            )
            before, cleared = cell.stage - 1 - self.form.first, live.at(self._last)
            read_bank = Signal(name=f"{plain(name)}_bank")
            with m.If(live.at(before) & live.is_last(before)):
                m.d.sync += read_bank.eq(~read_bank)
            m.d.comb += [
                sums.adds_up.eq(adds_up),
                sums.row.eq(row),
                sums.words.eq(self.i.payload[name]),
                sums.add_to.eq(rows[-1]),
                sums.add.eq(Cat(adds[-1] & ~bank, adds[-1] & bank)),
                sums.read_row.eq(live.row(before)),
                sums.read_bank.eq(read_bank),
                sums.read.eq(live.at(before)),
                sums.clear_row.eq(live.row(self._last)),
                sums.clear.eq(Cat(cleared & ~behind, cleared & behind)),
            ]
            for lane, step in enumerate(steps):
                m.d.comb += step.ports[cell.name].eq(sums.o[lane])

    def _noise(self, m: Module, steps: list[Step]) -> None:
        """Draws for every neuron in turn."""
        lowered, seed = self._fixed.lowered, self._fixed.one.seed
        reads = self.pipeline.reads
        for name, drawn, start in (
            ("noise", lowered.drawn, Sequence.apart(seed)),
            ("dither", lowered.dither, seed),
        ):
            cells = [reads[draw] for draw in drawn if draw in reads]
            if not cells:
                continue
            m.submodules[name] = lfsr = LFSR(len(drawn) * self._lanes, seed=start)
            m.d.comb += lfsr.en.eq(self._live.at(cells[0].stage + self.form.interval - 1))
            for lane, step in enumerate(steps):
                for cell in cells:
                    at = lane * len(drawn) + drawn.index(cell.node.meta)
                    m.d.comb += step.ports[cell.name].eq(lfsr.o.word_select(at, 16))

    def _waits(self, m: Module, steps: list[Step]) -> None:
        """What waits long: in memories that are written and read every clock.

        Where clocks are short, the last one is in the register behind them.
        """
        places: dict[int, tuple[Signal, Signal]] = {}
        for wait in self.pipeline.waits:
            clocks = self.pipeline.inside(wait)
            if clocks not in places:
                now = Signal(range(clocks), name=f"after_{clocks}")
                following = Signal.like(now, init=1, name=f"after_{clocks}_next")
                m.d.sync += [now.eq(following), following.eq(following + 1)]
                with m.If(following == clocks - 1):
                    m.d.sync += following.eq(0)
                places[clocks] = now, following
            now, following = places[clocks]
            entering = self.pipeline.cells[wait.port]
            shape = Shape(entering.node.width, signed=entering.node.signed)
            for lane, step in enumerate(steps):
                memory = Memory(shape=shape, depth=clocks, init=[], attrs={"ram_style": "block"})
                m.submodules[f"{plain(entering.name)}_{lane}"] = memory
                read, write = memory.read_port(), memory.write_port()
                found = self._registered(m, read.data, f"{plain(entering.name)}_{lane}")
                m.d.comb += [
                    write.addr.eq(now),
                    write.data.eq(step.waiting[entering.name]),
                    write.en.eq(1),
                    read.addr.eq(following),
                    step.ports[entering.name].eq(found),
                ]


class _Live:
    """Which stages a row is in, and which row it is.

    Stage -1 is the clock in which it enters; those before are ``ahead`` of it.
    """

    def __init__(self, m: Module, rows: int, last: int, ahead: int = 0) -> None:
        self._m, self._rows, self._ahead = m, rows, ahead
        before = [Signal(name=f"asked_{k}") for k in range(ahead)]
        after = [Signal(name=f"live_{s}") for s in range(last + 1)]
        self._at = [*before, Signal(name="enters"), *after]
        m.d.sync += [after.eq(before) for before, after in pairwise(self._at)]
        self._row: dict[int, Signal] = {}
        self._last: dict[int, Signal] = {}

    def enter(self, value: Value) -> None:
        """When a row enters, or is asked for so many clocks ahead."""
        self._m.d.comb += self._at[0].eq(value)

    def at(self, stage: int) -> Signal:
        """Whether there is a row in a stage, in its first clock."""
        return self._at[stage + 1 + self._ahead]

    def row(self, stage: int) -> Signal:
        """The row in a stage, or the one that comes next."""
        if stage not in self._row:
            where = f"{max(stage, 0)}{'_before' * -min(stage, 0)}"
            row = Signal(_bits(self._rows), name=f"row_at_{where}")
            last = Signal(name=f"last_at_{where}")
            self._m.d.comb += last.eq(row == self._rows - 1)
            with self._m.If(self.at(stage)):
                self._m.d.sync += row.eq(row + 1)
                if self._rows & (self._rows - 1) or self._rows == 1:
                    with self._m.If(last):
                        self._m.d.sync += row.eq(0)
            self._row[stage], self._last[stage] = row, last
        return self._row[stage]

    def is_last(self, stage: int) -> Signal:
        """Whether that is the last one."""
        self.row(stage)
        return self._last[stage]


def _counted(flags: list[Value]) -> tuple[Value, Value]:
    """Whether there is one at least, and whether there are two, in a tree."""
    if len(flags) == 1:
        return flags[0], Const(0, 1)
    half = len(flags) // 2
    (one, several), (other, more) = _counted(flags[:half]), _counted(flags[half:])
    return one | other, several | more | (one & other)


def plain(name: str) -> str:
    """The name of a state as a submodule's."""
    return name.replace(".", "_")
