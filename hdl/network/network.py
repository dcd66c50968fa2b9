"""A network in gates: a time step after the other, populations in turn."""

from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...compiler.pipeline.form import Form
from ...errors import ScneuroError
from ...link.regions import Region, regions
from ...network.counts import where_of
from ...network.fixed import FixedNetwork
from ...network.plan import LANES, SPIKES_A_WORD, Add, Deliver, Plan, most_clocks, plan
from .access import Access, AccessSignature
from .core import Core
from .counts import Counts
from .draws import Draws
from .scan import Scan
from .synapses import Synapses, bits_for

__all__ = ["Network"]

_BLOCK = {"ram_style": "block"}


class Network(wiring.Component):
    """Populations, their synapses and spikes in memories, and the order of a time step.

    What comes in for a step is a frame: the words of :func:`~scneuro.network.plan.frames_of` in
    order, the first one for control: whether all neurons begin the step with their initial states,
    and no spike is on its way. A step starts when its frame is there and ``tick`` is high. In it,
    populations run in
    turn: every spike that reaches one adds its row of weights to sums, then each of its neurons is
    updated with its sum. Last, the spikes of the outputs leave, 16 in a word, the first one lowest.
    Where an output's spikes are counted, they are as its neurons are updated; counts are read by
    ``access``, and do not leave by themselves.

    Parameters
    ----------
    fixed : FixedNetwork
    lanes : int
        Weights that are added in a clock.
    form : Form, optional
        Of the datapaths, which is ``stored``.
    loaded : bool
        Whether the weights are loaded at the start, into memories of one port, by the words of
        :func:`~scneuro.network.plan.loads_of`; else the bitstream brings them.
    linked : bool
        Whether its memories are read and written from outside, by rows of ``regions``. Weights
        that are loaded come so, too, and not as words.

    Members
    -------
    i : In(stream of 16 bits)
    o : Out(stream of 16 bits)
    tick : In(1)
    done : Out(1)
        A step is over.
    busy : Out(1)
        A step is being computed.
    written : Out
        By population, what is written in a clock; of those that are counted, ``counts``, too.
    access : In(:class:`~scneuro.hdl.network.access.AccessSignature`), where it is linked
        Reads or writes a row, before a step begins: in the clock in which one could, or later. Who
        holds ``tick`` low as long as it is ``valid`` waits for a step at most.
    restart_now : In(1), where it is linked
        Give every neuron its initial states, and forget spikes on their way, as soon as no step is
        computed: before another one begins, and before ``access`` is ready. A pulse is enough.
    waiting : Out(1), where it is linked
        A frame is there whose step did not begin.
    saturated : Out, where it is linked
        How many sums were beyond a word, or beyond the limits of their input: of all clocks of a
        step, what :attr:`FixedNetwork.limited` counts in it.

    Attributes
    ----------
    fixed : FixedNetwork
    plan : Plan
    cores : dict of str to Core
    counts : dict of str to Counts
        Of the outputs whose spikes are counted.
    regions : tuple of Region
        What ``access`` reaches; none where it is not linked.
    """

    i: Any
    o: Any
    tick: Signal
    done: Signal
    busy: Signal
    written: data.View
    access: Any
    restart_now: Signal
    waiting: Signal
    saturated: Signal

    def __init__(
        self,
        fixed: FixedNetwork,
        lanes: int = LANES,
        form: Form | None = None,
        *,
        loaded: bool = False,
        linked: bool = False,
    ) -> None:
        if not isinstance(fixed, FixedNetwork):
            raise TypeError(
                "hdl.network.Network takes the integers of a network, such as network.fixed(), "
                f"not {type(fixed).__name__}"
            )
        self.fixed, self.name, self.loaded, self.linked = fixed, fixed.name, loaded, linked
        self.plan: Plan = plan(fixed, lanes)
        self.form = form = form or Form(stored=True)
        self.regions: tuple[Region, ...] = regions(fixed, self.plan) if linked else ()
        self.cores = {}
        for name, p in fixed.populations.items():
            try:
                order = self.plan.places[name].order
                self.cores[name] = Core(p, form, order, linked=linked)
            except ScneuroError as error:
                where = name if name == fixed.name else f"{fixed.name}, {name}"
                raise type(error)(f"{where}: {error.message}", error.hint) from None
        self.counts = {n: Counts(self.cores[n].rows, linked=linked) for n in self.plan.counted}
        self._drops = tuple(sorted({t.drop for t in self.plan.totals.values()}))
        self._synapses = Synapses(self.plan, self._drops, loaded=loaded, linked=linked)
        words = self.plan.frame_words, self.plan.spike_words
        self._scan = Scan(max(map(bits_for, words)), bits_for(max(words) + 1))
        self._draws = Draws(self.plan, len(self._scan.index)) if self.plan.draws else None
        written = {n: self._shows(n) for n in self.cores}
        members: dict[str, Any] = {}
        if linked:
            self._access = Access(self.regions)
            members = {
                "access": In(AccessSignature(max(r.words for r in self.regions))),
                "restart_now": In(1),
                "waiting": Out(1),
                "saturated": Out(range(len(self.plan.bases) + 1)),
            }
        super().__init__(
            {
                "i": In(stream.Signature(16)),
                "o": Out(stream.Signature(16)),
                "tick": In(1),
                "done": Out(1),
                "busy": Out(1),
                "written": Out(data.StructLayout(written)),
                **members,
            }
        )

    def _shows(self, name: str) -> data.StructLayout:
        """What is shown of a population."""
        fields = {field: shape.shape for field, shape in self.cores[name].written.shape()}
        if name in self.counts:
            fields["counts"] = self.counts[name].written.shape()
        return data.StructLayout(fields)

    @property
    def phases(self) -> list[tuple[str, Deliver | Add | None]]:
        """What is done in a step: something for a population, or its update where there is None."""
        found: list[tuple[str, Deliver | Add | None]] = []
        for name, work in self.plan.order:
            found += [(name, each) for each in work]
            found.append((name, None))
        return found

    @property
    def worst_clocks(self) -> int:
        """The most clocks that a step takes, if every neuron fires in it and words come at once."""
        return sum(most_clocks(self.fixed, self.plan, self.form).values())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.synapses = self._synapses
        for name, core in self.cores.items():
            m.submodules[f"population_{name}"] = core
            for field, _ in core.written.shape():
                m.d.comb += self.written[name][field].eq(core.written[field])
        phases = self.phases
        self._phase = Signal(range(len(phases)))
        self._step = Signal(max(1, (self.plan.slots - 1).bit_length()))
        self._age = Signal(
            range(_oldest(self.plan) + 1)
        )  # steps since a start, up to the longest delay
        frame = self._frames(m)
        spikes = self._spikes(m)
        self._deliver(m, frame, spikes)
        self._update(m)
        self._draw(m)
        self._count(m)
        self._sequence(m, spikes)
        if self.linked:
            self._link(m, spikes)
            self._limits(m)
        return m

    # -- memories ----------------------------------------------------------------------------
    def _frames(self, m: Module) -> Any:
        """Take frames in, as many as there is room for; the port that reads them."""
        made = self.plan
        per_slot = 1 << bits_for(made.frame_words)
        memory = Memory(shape=16, depth=per_slot * made.input_slots, init=[], attrs=_BLOCK)
        m.submodules.frames = memory
        write, read = memory.write_port(), memory.read_port()
        word = Signal(bits_for(made.frame_words), name="word_of_frame")
        slot = Signal(range(made.input_slots))
        self._waiting = Signal(range(made.input_slots + 1))  # frames that are there and not begun
        self._begin, self._computing = Signal(), Signal(name="computing")
        self._frame = Signal(range(made.input_slots))  # that of the step
        last, taken = Signal(), Signal()
        loading, accepts = Signal(name="loading"), Signal()  # a row of weights
        room = made.input_slots - made.delay - 1
        anew = Signal(made.input_slots)  # by slot, whether its step begins anew
        self._restart = Signal()
        m.d.comb += [
            self._restart.eq(anew.bit_select(self._frame, 1)),
            self.i.ready.eq(Mux(loading, accepts, self._waiting + self._computing <= room)),
            taken.eq(self.i.valid & self.i.ready & ~loading),
            last.eq(taken & (word == made.frame_words - 1)),
            write.addr.eq(Cat(word, slot)),
            write.data.eq(self.i.payload),
            write.en.eq(taken),
        ]
        with m.If(taken):
            m.d.sync += word.eq(Mux(last, 0, word + 1))
        with m.If(last):
            m.d.sync += slot.eq(slot + 1)
        with m.If(taken & (word == 0)):
            m.d.sync += anew.bit_select(slot, 1).eq(self.i.payload[0])
        if self.loaded and not self.linked:
            self._load(m, word, loading, accepts)
        m.d.sync += self._waiting.eq(self._waiting + last - self._begin)
        return read

    def _load(self, m: Module, word: Signal, loading: Signal, accepts: Signal) -> None:
        """Take a row of weights in, when no step is computed."""
        made, load = self.plan, self._synapses.load
        at = Signal(range(made.row_words + 2))
        row = Signal(16 * (1 + made.row_words))
        idle = Signal()
        m.d.comb += idle.eq((self._waiting == 0) & ~self._computing)
        with m.If(~loading & self.i.valid & self.i.ready & (word == 0) & self.i.payload[1]):
            m.d.sync += [loading.eq(1), at.eq(0), word.eq(0)]
        with m.If(loading):
            with m.If(at == 1 + made.row_words):
                m.d.comb += load.valid.eq(1)
                m.d.sync += loading.eq(0)
            with m.Elif(self.i.valid & idle):
                m.d.sync += [row.eq(Cat(row[16:], self.i.payload)), at.eq(at + 1)]
        m.d.comb += accepts.eq(idle & (at != 1 + made.row_words))
        m.d.comb += [load.row.eq(row[:16]), load.weights.eq(row[16:])]

    def _spikes(self, m: Module) -> Any:
        """Keep the spikes of all populations, word by word; the port that reads them."""
        made = self.plan
        per_slot = 1 << bits_for(made.spike_words)
        memory = Memory(shape=16, depth=per_slot * made.slots, init=[], attrs=_BLOCK)
        m.submodules.spikes = memory
        write, read = memory.write_port(), memory.read_port()
        whole, word = Signal(16, name="spikes_of_word"), Signal(bits_for(made.spike_words))
        fired, place, last, valid = Signal(), Signal(4), Signal(), Signal()
        for name, core in self.cores.items():
            view, cells = core.written.spike, made.spikes[name]
            with m.If(view.valid):
                m.d.comb += [
                    valid.eq(1),
                    fired.eq(view.values[0]),
                    place.eq(view.row[:4]),
                    last.eq(view.row == core.rows - 1),
                    word.eq(cells.base + (view.row >> 4)),
                ]
        bits = Signal(16)
        m.d.comb += bits.eq(whole | (fired << place))
        ends = Signal()
        m.d.comb += ends.eq(valid & (last | (place == SPIKES_A_WORD - 1)))
        with m.If(valid):
            m.d.sync += whole.eq(Mux(ends, 0, bits))
        slot = self._step if made.slots > 1 else Const(0, 0)
        m.d.sync += [
            write.en.eq(ends),
            write.addr.eq(Cat(word, slot)),
            write.data.eq(bits),
        ]
        return read

    # -- what a step is made of --------------------------------------------------------------
    def _deliver(self, m: Module, frame: Any, spikes: Any) -> None:
        """Take spikes and currents to the synapses."""
        made, synapses = self.plan, self._synapses
        m.submodules.scan = scan = self._scan
        draws = self._draws
        self._inside, self._sending = Signal(), Signal()
        self._sent = Signal.like(scan.address)
        self._place = Signal(range(len(made.sources) + 1))  # of a phase's first source
        delay, first = Signal(range(_oldest(made) + 1)), Signal(synapses.weights.shape())
        rows = Signal(synapses.rows.shape())
        sums, adds = Signal(synapses.sums.shape()), Signal()
        self._is_update, self._late = Signal(), Signal()
        begins = []
        with m.Switch(self._phase):
            for k, (_, work) in enumerate(self.phases):
                with m.Case(k):
                    if work is None:
                        m.d.comb += self._is_update.eq(1)
                        continue
                    totals = work.totals
                    m.d.comb += [
                        scan.base.eq(work.base),
                        scan.words.eq(work.words),
                        sums.eq(totals.base),
                        synapses.shift.eq(work.shift),
                        synapses.port.eq(totals.port),
                    ]
                    if isinstance(work, Add):
                        m.d.comb += [adds.eq(1), rows.eq(1)]
                    else:
                        m.d.comb += [
                            self._inside.eq(work.inside),
                            delay.eq(work.delay),
                            rows.eq(work.rows),
                        ]
                        if work.loop is not None:
                            self._looped(m, work)
                        if work.amount is not None and draws is not None:
                            m.d.comb += [
                                synapses.drawn.eq(1),
                                synapses.amount.eq(work.amount),
                                draws.first.eq(work.source),
                            ]
                        begins.append((k, work))
        m.d.comb += self._late.eq(self._age < delay)  # nothing had been fired then
        # of a spike, the row of weights; a clock for the multiplication
        product = Signal(synapses.weights.shape())
        there = Signal(name="row_there")
        with m.Switch(self._phase):
            for k, work in begins:
                with m.Case(k):
                    if work.loop is None:
                        m.d.comb += product.eq(work.weights + scan.index * work.rows)
                    else:
                        m.d.comb += product.eq(work.weights)
        taken = Signal()
        m.d.comb += [
            taken.eq(~there | synapses.ready),
            synapses.rows.eq(rows),
            synapses.sums.eq(sums),
        ]
        with m.If(taken):
            m.d.sync += [there.eq(scan.valid & ~adds), first.eq(product)]
        m.d.comb += [synapses.weights.eq(first), synapses.valid.eq(there), scan.ready.eq(taken)]
        if len(made.sources):
            self._source(m, taken, there, first, sums)
        word = Signal(16)
        m.d.comb += word.eq(Mux(self._inside, spikes.data, frame.data))
        slots = made.input_slots
        frame_slot = (self._frame - delay)[: bits_for(slots)] if slots > 1 else Const(0, 0)
        spike_slot = (self._step - delay)[: len(self._step)] if made.slots > 1 else Const(0, 0)
        sent_slot: Value = self._step
        if self.linked:  # between steps it is that of the last one
            sent_slot = (self._step - ~self._computing)[: len(self._step)]
        words, cells = bits_for(made.frame_words), bits_for(made.spike_words)
        m.d.comb += [
            scan.word.eq(word),
            frame.addr.eq(Cat(scan.address[:words], frame_slot)),
            frame.en.eq(scan.enable),
            spikes.addr.eq(
                Cat(
                    Mux(self._sending, self._sent[:cells], scan.address[:cells]),
                    Mux(self._sending, sent_slot, spike_slot) if made.slots > 1 else Const(0, 0),
                )
            ),
            spikes.en.eq(scan.enable | self._sending),
        ]
        self._currents(m, frame, adds, sums)

    def _looped(self, m: Module, work: Deliver) -> None:
        """How spikes of a convolution go through rows."""
        assert work.loop is not None
        loop, to = work.loop, self._synapses.loop
        back = work.rows - 1
        m.d.comb += [
            to.valid.eq(1),
            to.next_weights.eq(loop.across[0] - back),
            to.next_sums.eq(loop.across[1] - back),
            to.line_weights.eq(loop.down[0]),
            to.line_sums.eq(loop.down[1]),
            self._place.eq(work.source),
        ]

    def _source(self, m: Module, taken: Signal, there: Signal, first: Signal, sums: Signal) -> None:
        """Where a spike of a convolution goes first, and how far: of a memory of all sources."""
        made, synapses = self.plan, self._synapses
        weights, rows, across, down = (
            bits_for(int(made.sources[:, k].max(initial=0)) + 1) for k in range(4)
        )
        layout = data.StructLayout(
            {"weights": weights, "sums": rows, "across": across, "down": down}
        )
        names = list(layout.members)
        init = [dict(zip(names, row, strict=True)) for row in made.sources.tolist()]
        memory = Memory(shape=layout, depth=len(init), init=init, attrs=_BLOCK)
        m.submodules.sources = memory
        read = memory.read_port()
        found = read.data
        m.d.comb += [
            read.addr.eq(self._place + self._scan.index),
            read.en.eq(taken & self._scan.valid & synapses.loop.valid),
            synapses.loop.across.eq(found.across),
            synapses.loop.down.eq(found.down),
        ]
        with m.If(synapses.loop.valid):
            m.d.comb += [
                synapses.weights.eq(first + found.weights),
                synapses.sums.eq(sums + found.sums),
            ]
            with m.If(there & (found.down == 0)):  # it reaches nothing
                m.d.comb += [synapses.valid.eq(0), taken.eq(1)]

    def _currents(self, m: Module, frame: Any, adds: Signal, sums: Signal) -> None:
        """Add the currents of a frame, one after the other."""
        made, synapses, scan = self.plan, self._synapses, self._scan
        self._adding = Signal()
        self._begin_adding = Signal()
        if not any(isinstance(work, Add) for _, work in self.phases):
            return
        place = (made.lanes - 1).bit_length()
        number, there = Signal.like(scan.words, name="number"), Signal(name="current_there")
        asked = Signal.like(scan.words)
        give, fetch = Signal(), Signal()
        m.d.comb += [
            fetch.eq(self._adding & (asked != scan.words) & (~there | give)),
            give.eq(there & synapses.ready),
        ]
        with m.If(self._begin_adding):
            m.d.sync += [asked.eq(0), self._adding.eq(1)]
        with m.Elif((asked == scan.words) & ~there):
            m.d.sync += self._adding.eq(0)
        with m.If(fetch):
            m.d.sync += [there.eq(1), number.eq(asked), asked.eq(asked + 1)]
        with m.Elif(give):
            m.d.sync += there.eq(0)
        with m.If(self._adding):
            m.d.comb += [
                frame.addr.eq(Cat((scan.base + asked)[: bits_for(made.frame_words)], self._frame)),
                frame.en.eq(fetch),
                synapses.valid.eq(there),
                synapses.is_current.eq(1),
                synapses.current.eq(frame.data.as_signed()),
                synapses.lane.eq(number[:place] if place else 0),
                synapses.sums.eq(sums + (number >> place)),
            ]
        with m.If(adds):
            m.d.comb += synapses.is_current.eq(1)

    def _update(self, m: Module) -> None:
        """Connect every population to its sums."""
        made, synapses = self.plan, self._synapses
        self._core_done, self._core_start = Signal(), Signal()
        self._begins_anew: Value = self._begin & self._restart
        self._anew = Signal()  # all neurons begin anew, without a step
        if self.linked:
            self._begins_anew = self._begins_anew | self._anew
        self._ready = Signal()
        ready: Value = Const(1)
        with m.Switch(self._phase):
            for k, (name, work) in enumerate(self.phases):
                if work is not None:
                    continue
                core = self.cores[name]
                with m.Case(k):
                    m.d.comb += [core.tick.eq(self._core_start), self._core_done.eq(core.done)]
                    for to in core.fixed.lowered.inputs:
                        totals = made.totals[name, to]
                        port = totals.port
                        m.d.comb += [
                            synapses.fetch[port].group.eq(made.places[name].group - 1),
                            synapses.base[port].eq(totals.base),
                            synapses.drop[port].eq(self._drops.index(totals.drop)),
                        ]
        wanted: dict[int, list[Value]] = {}
        last: dict[int, list[Value]] = {}
        for name, core in self.cores.items():
            ready = ready & core.ready
            for to in core.fixed.lowered.inputs:
                port, fetch = made.totals[name, to].port, core.fetch[to]
                wanted.setdefault(port, []).append(fetch.valid)
                last.setdefault(port, []).append(fetch.valid & (fetch.row == core.rows - 1))
            m.d.comb += core.restart.eq(self._begins_anew)
            for to in core.fixed.lowered.inputs:
                m.d.comb += core.words[to][0].eq(synapses.o[made.totals[name, to].port])
        for port, valid in wanted.items():  # one population fetches at a time
            m.d.comb += [
                synapses.fetch[port].valid.eq(Cat(valid).any()),
                synapses.fetch[port].last.eq(Cat(last[port]).any()),
            ]
        m.d.comb += self._ready.eq(ready)

    def _draw(self, m: Module) -> None:
        """Draw for the spikes of stochastic projections; every step has draws of its own."""
        draws, scan = self._draws, self._scan
        if draws is None:
            return
        m.submodules.draws = draws
        m.d.comb += [
            draws.index.eq(scan.index),
            draws.take.eq(scan.valid & scan.ready),
            self._synapses.draw.eq(draws.draw),
            draws.step.eq(self.done),
            draws.restart.eq(self._begins_anew),
        ]

    def _count(self, m: Module) -> None:
        """Count the spikes of outputs, as they are shown."""
        for name, counts in self.counts.items():
            m.submodules[f"counts_{name}"] = counts
            view = self.cores[name].written.spike
            m.d.comb += [
                counts.valid.eq(view.valid),
                counts.row.eq(view.row),
                counts.fired.eq(view.values[0]),
                counts.restart.eq(self._begins_anew),
                self.written[name].counts.eq(counts.written),
            ]

    def _sequence(self, m: Module, spikes: Any) -> None:
        """One phase after the other."""
        made, synapses, scan = self.plan, self._synapses, self._scan
        phases, phase = self.phases, self._phase
        last = Signal()
        outputs = [w for n in made.outputs for w in _range(made.spikes[n])]
        sent = Signal(range(len(outputs) + 1))
        with m.Switch(sent):
            for k, w in enumerate(outputs):
                with m.Case(k):
                    m.d.comb += self._sent.eq(w)
        m.d.comb += [
            last.eq(phase == len(phases) - 1),
            self.busy.eq(self._computing),
            self.o.payload.eq(spikes.data),
        ]
        begins = self.tick & (self._waiting != 0) & self._ready
        if self.linked:
            begins = begins & ~self._restart_waits(m)
        with m.FSM() as self._state:
            with m.State("idle"):
                m.d.comb += self._begin.eq(begins)
                with m.If(self._begin):
                    m.d.sync += [phase.eq(0), self._computing.eq(1)]
                    with m.If(self._restart):
                        m.d.sync += self._age.eq(0)
                    m.next = "choose"
            with m.State("choose"):
                with m.If(self._is_update):
                    with m.If(self._ready):
                        m.d.comb += self._core_start.eq(1)
                        m.next = "update"
                with m.Elif(self._late):
                    m.next = "next"
                with m.Else():
                    adds = synapses.is_current
                    m.d.comb += [scan.start.eq(~adds), self._begin_adding.eq(adds)]
                    m.next = "deliver"
            with m.State("deliver"):
                with m.If(~scan.busy & ~self._adding & ~synapses.valid & ~synapses.busy):
                    m.next = "next"
            with m.State("update"):
                with m.If(self._core_done):
                    m.next = "written"
            with m.State("written"):  # the last word of spikes is on its way
                m.next = "settled"
            with m.State("settled"):
                m.next = "next"
            with m.State("next"):
                m.d.sync += phase.eq(phase + 1)
                m.next = "choose"
                with m.If(last):
                    m.d.sync += sent.eq(0)
                    m.next = "read" if outputs else "idle"
                    if not outputs:
                        self._end(m)
            if outputs:
                self._send(m, sent, len(outputs))

    def _send(self, m: Module, sent: Signal, words: int) -> None:
        """The outputs' words leave, and the step is over."""
        with m.State("read"):
            m.d.comb += self._sending.eq(1)
            m.next = "send"
        with m.State("send"):
            m.d.comb += self.o.valid.eq(1)
            with m.If(self.o.ready):
                m.d.sync += sent.eq(sent + 1)
                m.next = "read"
                with m.If(sent == words - 1):
                    m.next = "idle"
                    self._end(m)

    def _end(self, m: Module) -> None:
        """A step is over."""
        m.d.comb += self.done.eq(1)
        m.d.sync += [
            self._computing.eq(0),
            self._step.eq(self._step + 1),
            self._frame.eq(self._frame + 1),
        ]
        with m.If(self._age != _oldest(self.plan)):
            m.d.sync += self._age.eq(self._age + 1)

    # -- what a link does --------------------------------------------------------------------
    def _restart_waits(self, m: Module) -> Value:
        """Begin anew when no step is computed; whether that is to be done."""
        waiting, asked = Signal(name="restart_waits"), Signal(name="restart_asked")
        m.d.comb += [
            asked.eq(self.restart_now | waiting),
            self._anew.eq(asked & self._ready & ~self._computing),
            self._access.free.eq(~self._computing & self._ready & ~asked),
            self.waiting.eq(self._waiting != 0),
        ]
        m.d.sync += waiting.eq(asked & ~self._anew)
        with m.If(self._anew):
            m.d.sync += self._age.eq(0)
        return asked

    def _link(self, m: Module, spikes: Any) -> None:
        """Lead what is read and written to its memory."""
        m.submodules.access = access = self._access
        wiring.connect(m, wiring.flipped(self.access), access.i)
        at, synapses = self.access, self._synapses
        for core in self.cores.values():
            m.d.comb += [
                core.place.eq(at.row),
                core.given.eq(at.data),
                core.look.eq(access.look.any()),
            ]
        if self.loaded or self.regions[0].name == "weights":
            m.d.comb += [synapses.load.row.eq(at.row), synapses.load.weights.eq(at.data)]
        for k, region in enumerate(self.regions):
            found, look, write = access.found[f"r{k}"], access.look[k], access.write[k]
            if region.name == "weights":
                m.d.comb += [
                    synapses.look.eq(look),
                    synapses.load.valid.eq(write),
                    found.eq(synapses.found),
                ]
            elif region.writable:
                name, state = region.name.rsplit(".", 1)
                core = self.cores[name]
                m.d.comb += [core.write[state].eq(write), found.eq(core.found[state])]
            elif (counts := self._counts_of(region)) is not None:
                m.d.comb += [counts.look.eq(look), counts.place.eq(at.row)]
                m.d.comb += found.eq(counts.found)
            else:
                base = self.plan.spikes[region.name.removesuffix("/spikes")].base
                m.d.comb += found.eq(spikes.data)
                with m.If(look):
                    m.d.comb += [self._sending.eq(1), self._sent.eq(at.row + base)]

    def _counts_of(self, region: Region) -> Counts | None:
        """Whose counts a region is."""
        return {where_of(name): counts for name, counts in self.counts.items()}.get(region.name)

    def _limits(self, m: Module) -> None:
        """Count the words of inputs that were limited, in the clock after they are read."""
        flags: dict[int, list[Value]] = {}
        for name, core in self.cores.items():
            lowered = core.fixed.lowered
            for to in lowered.inputs:
                port, view = self.plan.totals[name, to].port, core.written[to]
                low, high = lowered.input_limits[to]
                beyond: Value = self._synapses.limited[port]
                if low > -(1 << 15):
                    beyond = beyond | (view.values[0] < low)
                if high < (1 << 15) - 1:
                    beyond = beyond | (view.values[0] > high)
                flags.setdefault(port, []).append(view.valid & beyond)
        limited = Signal(len(flags))
        m.d.sync += limited.eq(Cat(Cat(each).any() for each in flags.values()))
        m.d.comb += self.saturated.eq(sum(limited))


def _oldest(made: Plan) -> int:
    """The longest delay."""
    return max(
        (w.delay for _, work in made.order for w in work if isinstance(w, Deliver)), default=0
    )


def _range(cells: Any) -> range:
    return range(cells.base, cells.base + cells.words)
