"""Outputs as counts: the same in float, integers, gates and on a board, which waits for nobody."""

import copy
import json
import pickle
import time
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from amaranth.sim import Simulator
from checks import faults
from claims import Leak, broken, names
from faults.text import rewritten
from hypothesis import given, settings
from hypothesis import strategies as st
from test_link_memory import on_board
from test_network_gates import Unit
from watched import IntegerChip

from scneuro import LIF, Input, Network, Neuron, Population, State, cli
from scneuro.boards import BOARDS, LinkError, connect
from scneuro.boards.devices import DEVICES
from scneuro.boards.link.played import Played
from scneuro.boards.link.stepping import Stepping
from scneuro.boards.network import network_hardware, network_memories
from scneuro.cli import network as network_commands
from scneuro.hdl.link.layout import fed_words
from scneuro.hdl.network import Network as Gates
from scneuro.hdl.network import network as gates_module
from scneuro.hdl.network.counts import Counts
from scneuro.link.messages import MOST_WORDS
from scneuro.link.regions import Memories, regions
from scneuro.network import Dense, NetworkRecording, Scale, counts
from scneuro.network.plan import plan
from scneuro.network.train import classes
from scneuro.sim import (
    SimulatedPort,
    export_verilog,
    network_parity,
    run_network,
    simulated_board,
)
from scneuro.sim.explore.network.points import NetworkPoint
from scneuro.sim.proof.invariants import check
from scneuro.sim.proof.invariants import network as claims
from scneuro.sim.watch.watch import PACES, Watch

slow, compiler = pytest.mark.slow, pytest.mark.compiler


def sending(**sends):
    """Delays and a loop; both populations leave, each as it is said."""
    r = np.random.default_rng(0)
    net = Network("pair")
    net.input("a", 6, most=3)
    net.population("p", Unit(), 3)
    net.population("q", Unit(alpha=0.25), 5)
    net.connect("a", "p", Dense(r.normal(1, 1, (3, 6))))
    net.connect("p", "q", Dense(r.normal(2, 2, (5, 3))), delay=2)
    net.connect("q", "p", Dense(r.normal(-0.2, 0.3, (3, 5))), delay=1)
    net.connect("a", "q", Dense(r.normal(1, 1, (5, 6))))
    net.output("q", "p")
    for name, what in sends.items():
        net.output(name, sends=what)
    return net


def spikes(steps, seed=1):
    return {"a": np.random.default_rng(seed).binomial(3, 0.3, (steps, 6))}


def quiet(net, **inputs):
    return net.run(progress=False, **inputs)


# -- what an interruption leaves ------------------------------------------------------------------
@pytest.mark.parametrize("reset", [True, False])
def test_what_was_recorded_before_an_interruption_is_counted(reset):
    net = sending(q="both", p="counts")
    fixed = net.fixed()
    played = Played(fixed, (), {})
    run = quiet(fixed, **spikes(9))
    for t in range(9):
        played.add({"q": run.spike["q"][t]}, {})
    if reset:
        played.count()
    found = played.recording(fixed, spikes(9))
    assert found.counts.keys() == ({"q"} if reset else set())
    if reset:
        assert np.array_equal(found.counts["q"], run.counts["q"])


def test_a_part_of_a_run_of_which_nothing_else_is_known_is_said(capsys):
    net = sending(q="counts", p="counts")
    part = NetworkRecording(net.dt, {}, {}, {}, steps=7)
    figures = network_commands._run_figures(
        "board", net, {"a": np.zeros((7, 6))}, {"a": "given"}, {}, part
    )
    assert figures["steps"] == 7
    assert figures["populations"] == []
    assert "7 steps of 1 ms" in network_commands._run_text(net, figures)
    assert repr(part) == "<7 steps of 1 ms; spikes: none recorded>"
    with pytest.raises(KeyError, match="no 'q/spike' was recorded; there are none"):
        part["q/spike"]


def test_a_network_that_is_told_to_go_on_says_that_it_begins_anew():
    with pytest.raises(TypeError, match="always begins anew; on a board"):
        sending().run(reset=False, progress=False, **spikes(3))


# -- in software ----------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["float", "integers"])
def test_counts_are_how_many_spikes_each_neuron_fired(kind):
    net = sending(q="counts", p="both")
    net = net if kind == "float" else net.fixed()
    run = quiet(net, **spikes(30))
    assert list(run.counts) == ["q", "p"]
    for name, found in run.counts.items():
        assert np.array_equal(found, run.spikes[name])
        assert found.dtype == np.int64
        assert found.any()
        assert run[f"{name}/counts"] is found
    again = quiet(net, **spikes(30))  # a run begins with a reset
    assert np.array_equal(again.counts["q"], run.counts["q"])
    several = {n: np.stack([x, x[::-1]], axis=1) for n, x in spikes(30).items()}
    both = quiet(net, **several).counts
    assert both["q"].shape == (2, 5)
    assert np.array_equal(both["p"][0], run.counts["p"])
    assert not run.saturated.keys() & {"q/counts", "p/counts"}


def test_without_being_asked_for_there_are_none():
    net = sending()
    assert net.sends == {"q": "spikes", "p": "spikes"}
    assert (net.sent, net.counted) == (["q", "p"], [])
    run = quiet(net, **spikes(9))
    assert run.counts == {}
    assert "q/counts" not in run.arrays()


@pytest.mark.parametrize("kind", ["float", "integers"])
def test_a_count_stays_at_its_limit_and_what_it_missed_is_said(monkeypatch, kind):
    monkeypatch.setattr(counts, "MOST", 4)
    net = sending(q="counts", p="counts")
    run = quiet(net if kind == "float" else net.fixed(), **spikes(30))
    for name in "pq":
        fired = run.spikes[name]
        assert np.array_equal(run.counts[name], np.minimum(fired, 4))
        assert run.saturated[f"{name}/counts"] == np.maximum(fired - 4, 0).sum() > 0
        after = counts.running(run.spike[name])
        assert np.array_equal(after[-1], run.counts[name])
        assert np.all(np.diff(after, axis=0) <= run.spike[name][1:])


def test_what_leaves_is_said_where_an_output_is_named():
    net = sending(q="counts")
    assert net.outputs == ["q", "p"]
    assert net.sends == {"q": "counts", "p": "spikes"}
    assert (net.sent, net.counted) == (["p"], ["q"])
    for made in (
        copy.deepcopy(net),
        pickle.loads(pickle.dumps(net)),
        NetworkPoint(bits=4).target(net),
        replace(net),
    ):
        assert made.sends == net.sends
    whole = Network("one")
    whole.population("out", Unit(), 1)
    whole.output(sends="both")
    assert whole.sends == {"out": "both"}
    other = NetworkPoint(bits=4).target(net)
    other.output("q")  # what was said last
    assert (other.sends["q"], net.sends["q"]) == ("spikes", "counts")
    with pytest.raises(ValueError, match="sends must be one of spikes, counts, both, not 'all'"):
        net.output("q", sends="all")
    with pytest.raises(ValueError, match="a is an input, not a population"):
        net.output("a", sends="counts")
    assert net.outputs == ["q", "p"]


class Counting(Neuron):
    counts = State()
    I = Input()

    def update(self, counts, I):
        return counts >= 1.0, 0.5 * counts + I


def test_a_state_with_their_name_is_refused():
    net = Network("twice")
    net.input("x", 1)
    net.population("out", Counting(), 1)
    net.connect("x", "out", Scale(1.0))
    net.output("out")
    with pytest.raises(ValueError, match="twice: out has a state or an input called counts, and"):
        net.output("out", sends="both")


def test_another_output_is_another_design():
    plain = sending().fixed().digest
    assert sending(q="spikes").fixed().digest == plain
    others = [sending(**s).fixed().digest for s in ({"q": "counts"}, {"q": "both"}, {"p": "both"})]
    assert len({plain, *others}) == 4


def test_a_recording_of_counts_alone_has_its_steps():
    found = NetworkRecording(0.5, {}, {}, counts={"o": np.array([3, 0])}, steps=4)
    assert found.t.tolist() == [0.5, 1, 1.5, 2]
    assert list(found.arrays()) == ["o/counts"]
    assert repr(found) == "<4 steps of 0.5 ms; spikes: o 3>"


# -- in gates -------------------------------------------------------------------------------------
STEP = st.lists(st.booleans(), min_size=3, max_size=3)


@settings(max_examples=40)
@given(
    steps=st.lists(st.tuples(STEP, st.booleans(), st.integers(0, 2)), max_size=9),
    rows=st.integers(1, 3),
    apart=st.integers(1, 3),
)
def test_a_count_is_what_was_fired_since_a_restart(steps, rows, apart):
    """Whether neurons come one a clock or not; a limit of 2 is soon there."""
    before, counts.MOST = counts.MOST, 2
    try:
        dut = Counts(rows, linked=True)
        simulator = Simulator(dut)
        simulator.add_clock(1e-6)

        async def testbench(ctx):
            expected = [0] * rows
            for fired, restarts, looks in steps:
                if restarts:
                    ctx.set(dut.restart, 1)
                    await ctx.tick()
                    ctx.set(dut.restart, 0)
                    expected = [0] * rows
                for _ in range(looks):
                    for row in range(rows):
                        ctx.set(dut.look, 1)
                        ctx.set(dut.place, row)
                        await ctx.tick()
                        ctx.set(dut.look, 0)
                        assert ctx.get(dut.found) == expected[row]
                for row in range(rows):
                    ctx.set(dut.valid, 1)
                    ctx.set(dut.row, row)
                    ctx.set(dut.fired, fired[row])
                    await ctx.tick()
                    ctx.set(dut.valid, 0)
                    expected[row] = min(expected[row] + fired[row], 2)
                    assert ctx.get(dut.written.valid)
                    assert ctx.get(dut.written.row) == row
                    assert ctx.get(dut.written.values[0]) == expected[row]
                    for _ in range(apart - 1):
                        await ctx.tick()
                        assert not ctx.get(dut.written.valid)
                await ctx.tick().repeat(2)

        simulator.add_testbench(testbench)
        simulator.run()
    finally:
        counts.MOST = before


MIXED, ONLY = {"q": "both", "p": "counts"}, {"q": "counts", "p": "counts"}
OTHER = {"q": "counts", "p": "spikes"}


def rest(*sends):
    return [pytest.param(each, marks=slow) for each in sends]


@pytest.mark.parametrize("sends", [ONLY, *rest(MIXED, OTHER)])
def test_gates_count_as_the_integers_in_every_step(sends):
    net = sending(**sends)
    found = network_parity(net, spikes(20), stall=3, engine="amaranth", progress=False)
    assert found.bit_exact, str(found)
    sizes = {"q": 5, "p": 3}
    leaves = sum(sizes[n] for n, what in sends.items() if what != "counts")
    counted = sum(sizes[n] for n, what in sends.items() if what != "spikes")
    assert found.compared == 20 * (8 * 3 + leaves + counted)
    assert "sums and counts" in str(found)
    assert list(found.sent) == net.sent
    assert found.clocks <= 20 * found.worst_clocks
    assert all(found.fixed_run.counts[n].any() for n in net.counted)


def test_a_restart_in_the_middle_begins_with_zero_and_a_limit_is_one(monkeypatch):
    """Runs one after the other, each from its reset: counts do not go on."""
    monkeypatch.setattr(counts, "MOST", 3)
    given = {n: np.stack([x, x[::-1]], axis=1) for n, x in spikes(14).items()}
    net = sending(q="both", p="counts")
    found = network_parity(net, given, engine="amaranth", progress=False)
    assert found.bit_exact, str(found)
    assert found.fixed_run.counts["q"].shape == (2, 5)
    assert found.fixed_run.counts["q"].max() == 3
    assert found.fixed_run.saturated["q/counts"]


FAULTS = [
    ("anew.eq(1)", "anew.eq(0)"),  # a restart is not seen
    ("anew.eq(0)", "anew.eq(1)"),  # every step begins anew
    ("self.rows - 1)", "0)"),  # the second row goes on from before
    ("fired & (count", "(count"),  # a neuron that is silent is counted
    ("(fired & (count != counts.MOST))", "fired"),  # it goes on behind its limit
]


@pytest.mark.parametrize(("old", "new"), faults(FAULTS, lambda fault: fault[1] == "fired"))
def test_parity_sees_a_count_that_is_wrong(monkeypatch, old, new):
    monkeypatch.setattr(counts, "MOST", 3)
    monkeypatch.setattr(gates_module, "Counts", rewritten(Counts, old, new))
    given = {n: np.stack([x, x], axis=1) for n, x in spikes(9).items()}
    found = network_parity(sending(q="both"), given, engine="amaranth", progress=False)
    assert not found.bit_exact
    assert found.first["what"] == "counts"
    assert found.first["population"] == "q"


@pytest.mark.parametrize("sends", [MIXED, *rest(ONLY, OTHER)])
def test_counts_are_read_between_steps_and_begin_anew_with_the_neurons(sends):
    net = sending(**sends)
    fixed, given = net.fixed(), spikes(9, 4)
    gates = Gates(fixed, 4, linked=True)
    memories = Memories(fixed, gates.plan)

    async def read(board):
        return {n: memories.counts(n, await board.read(f"{n}/counts")) for n in net.counted}

    async def does(board):
        begin = await read(board)
        await board.run(given)
        once = await read(board)
        await board.write(f"{net.counted[0]}/counts", [[77]])  # which does nothing
        again = await read(board)
        await board.restart()
        anew = await read(board)
        await board.run(given)
        return begin, once, again, anew, await read(board)

    begin, once, again, anew, twice = on_board(gates, does)
    expected = quiet(sending(**sends).fixed(), **given).counts
    for n in net.counted:
        assert not begin[n].any()
        assert not anew[n].any()
        for found in (once, again, twice):
            assert np.array_equal(found[n], expected[n]), n
        assert expected[n].any()


def test_counts_are_the_last_memories_and_are_only_read():
    fixed = sending(q="counts", p="both").fixed()
    made = plan(fixed)
    *before, q, p = regions(fixed, made)
    assert (q.name, q.rows, q.words, q.bits, q.signed) == ("q/counts", 5, 1, 16, False)
    assert (p.name, p.rows) == ("p/counts", 3)
    assert not q.writable
    assert not p.writable
    assert before == list(regions(sending().fixed(), plan(sending().fixed())))
    memories = Memories(fixed, made)
    order = made.places["q"].order
    rows = np.arange(5)[:, None] + 65_000
    assert np.array_equal(memories.counts("q", rows)[order], rows[:, 0])
    with pytest.raises(ValueError, match="q/counts is no state"):
        memories.of_values("q/counts", 1.0)
    with pytest.raises(ValueError, match=r"pair has no memory 'q/counts'"):
        Memories(sending().fixed(), plan(sending().fixed())).counts("q", rows)


def test_the_planner_has_room_for_them():
    own, plain = (
        network_hardware(net.fixed(), DEVICES["up5k"]) for net in (sending(q="both"), sending())
    )

    def stored(gates):
        laid = gates.fixed, gates.plan, gates.form
        return {m.what: m.bits for m in network_memories(*laid, loaded=False)}

    more = stored(own).items() - stored(plain).items()
    assert ("q/counts", 5 * 16) in more


def test_a_chip_that_leaves_nothing_is_over_with_its_last_neuron():
    """What leaves takes clocks, and may wait; counts do not."""
    fixed = sending(q="counts", p="counts").fixed()
    assert plan(fixed).output_words == 0
    assert Gates(fixed).worst_clocks < Gates(sending().fixed()).worst_clocks


# -- what holds for ever --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rows", "linked"), [pytest.param(1, True, marks=slow), (3, True), (3, False)]
)
def test_what_is_claimed_of_a_count_is_proved(rows, linked):
    results = check(claims.counts(Counts(rows, linked=linked)))
    assert names(results) == ["counts", "found"][: 1 + linked]
    assert all(r.ok for r in results), "\n".join(map(str, results))


@pytest.mark.parametrize(("old", "new"), faults(FAULTS, lambda fault: fault[1] == "fired"))
def test_a_fault_of_a_count_breaks_its_claim(monkeypatch, old, new):
    monkeypatch.setattr(counts, "MOST", 2)
    results = check(claims.counts(rewritten(Counts, old, new)(3)))
    assert broken(results) == {"counts"}


def tiny(*sends):
    network = Network("tiny")
    network.input("x", 1)
    for name in "pq"[: len(sends)]:
        network.population(name, Leak(), 2)
        network.connect("x", name, Dense(np.ones((2, 1))))
    for name, what in zip("pq", sends, strict=False):
        network.output(name, sends=what)
    return network


@pytest.mark.parametrize("sends", [("counts", "counts"), *rest(("both", "spikes"))])
@pytest.mark.parametrize(
    "part", ["spikes", *(pytest.param(p, marks=slow) for p in ("memories", "events", "intake"))]
)
def test_the_claims_of_a_network_that_counts_are_proved(part, sends):
    results = check(getattr(claims, part)(Gates(tiny(*sends).fixed(), 2, linked=True)))
    assert all(r.ok for r in results), "\n".join(map(str, results))
    assert ("tallied" in names(results)) == (part == "spikes")


@slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("counts.restart.eq(self._begins_anew)", "counts.restart.eq(self._begin)"),
        ("counts.fired.eq(view.values[0])", "counts.fired.eq(1)"),
    ],
)
def test_a_fault_around_counts_breaks_a_claim(old, new):
    gates = rewritten(Gates, old, new)(tiny("counts").fixed(), 2, linked=True)
    harness = claims.spikes(gates)
    harness.search = 40
    assert "tallied" in broken(check(harness))


# -- on a board -----------------------------------------------------------------------------------
def digits(sends="counts"):
    """Of the size of a net that reads digits, and small enough to be run in a test."""
    r = np.random.default_rng(3)
    net = Network("digits")
    net.input("x", 16)
    net.population("h", LIF(tau_m=3.0), 8)
    net.population("out", LIF(tau_m=3.0), 5)
    net.connect("x", "h", Dense(r.normal(20, 40, (8, 16))))
    net.connect("h", "out", Dense(r.normal(40, 60, (5, 8))), delay=1)
    net.connect("out", "h", Dense(r.normal(0, 9, (8, 5))), delay=2)
    net.output("out", sends=sends)
    return net


def images(steps=60, seed=1):
    return np.random.default_rng(seed).random((steps, 16)) < 0.4


@cache
def board(sends):
    made = digits(sends)
    return simulated_board(made, BOARDS["icebreaker"], baud=3_000_000, flat_out=True)


def chip(sends="counts"):
    return connect(SimulatedPort(board(sends)), digits(sends), timeout=0.05)


class Quick:
    """The requests and the settings of a chip that leaves nothing: it makes two steps a look."""

    timeout = 1.0

    def __init__(self, made=0, each=2):
        self.made, self.each, self.waiting, self.taken = made, each, 0, []
        self.port = SimpleNamespace(name="quick", now=lambda: float(len(self.taken)))

    def feed(self, words):
        assert len(words) <= MOST_WORDS
        self.waiting += len(words) // 50
        assert self.waiting <= fed_words(50) // 50
        return len(words)

    def words(self, name):
        self.taken.append(name)
        steps = min(self.each, self.waiting)
        self.waiting, self.made = self.waiting - steps, self.made + steps
        return [self.made & 0xFFFF, self.made >> 16]

    def take(self, position, count):
        assert position == 0
        return [], 0

    def __getitem__(self, name):
        return 0


def test_steps_that_leave_nothing_are_counted_by_the_chip():
    """Also where its count begins anew in its low word."""
    made = Quick(made=65_530)
    stepping = Stepping(made, made, output_words=0, kept=256, longest=0.1)
    rows = list(stepping.run(np.zeros((41, 50), dtype=np.int64)))
    assert [row.shape for row in rows] == [(0,)] * 41
    assert made.made == 65_530 + 41
    assert stepping.taken().shape == (0, 0)
    assert not stepping.forget()
    stuck = Quick(each=0)
    stepping = Stepping(stuck, stuck, output_words=0, kept=256, longest=0.1)
    with pytest.raises(LinkError, match="the chip answers, and makes no step"):
        list(stepping.run(np.zeros((3, 50), dtype=np.int64)))


@slow
@compiler
def test_a_board_that_counts_is_asked_for_its_counts_alone():
    x = images()
    wanted = quiet(digits().fixed(), x=x)
    assert wanted.counts["out"].max() > 3
    with chip() as it:
        before = it.counters["steps"]
        found = it.run(x=x, record=())
        assert it.counters["steps"] - before == len(x)
        assert list(found.arrays()) == ["out/counts"]
        assert len(found.t) == len(x)
        assert np.array_equal(found.counts["out"], wanted.counts["out"])
        assert list(it.counts) == ["out"]
        assert np.array_equal(it.counts["out"], wanted.counts["out"])
        further = it.run(x=x[:7], record=(), reset=False)  # it goes on, as states do
        whole = quiet(digits().fixed(), x=np.vstack([x, x[:7]]))
        assert np.array_equal(further.counts["out"], whole.counts["out"])
        again = it.run(x=x)  # all that there is, step by step
        for name, values in wanted.arrays().items():
            assert np.array_equal(again[name], values), name
        assert it.step(x=x[0]) == {}
        it.reset()
        assert not it.counts["out"].any()
        with pytest.raises(KeyError, match="no counts 'h'; there are out"):
            it.counts["h"]
        assert repr(it.counts) == "<counts out>"


@slow
@compiler
def test_a_board_that_counts_waits_for_nobody():
    """Many more steps than a board keeps results of, and no host."""
    x = images(1)[0]
    with chip() as it:
        it.reset()
        it.hold(x=x)
        it.start(3000, paced=False)
        before = it.counters["steps"]
        it._requests.port.board.exchange(b"", 3_000_000)
        assert it.counters["steps"] - before > 2900
        it.pause()
        assert not it.collect().spike
        wanted = quiet(digits().fixed(), x=np.tile(x, (3000, 1)), record=()).counts["out"]
        assert wanted.max() > 256
        assert np.array_equal(it.counts["out"], wanted)
    with chip() as it:  # and the next host finds the same
        assert np.array_equal(it.counts["out"], wanted)


@slow
@compiler
def test_a_board_that_does_both_leaves_spikes_and_counts():
    x = images()
    wanted = quiet(digits("both").fixed(), x=x)
    with chip("both") as it:
        found = it.run(x=x, record=())
        assert np.array_equal(found.spike["out"], wanted.spike["out"])
        assert np.array_equal(found.counts["out"], wanted.counts["out"])
        assert it.step(x=x[0])["out"].shape == (5,)
    with pytest.raises(LinkError, match="the board holds digits"):
        connect(SimulatedPort(board("both")), digits("counts"), timeout=0.05)


@slow
@compiler
def test_a_link_that_fails_says_how_many_steps_were_counted(monkeypatch):
    with chip() as it:
        requests, done = it._requests, []

        def read(region, row, count, own=requests.read):
            done.append(region)
            if len(done) > 6:
                raise LinkError("gone")
            return own(region, row, count)

        monkeypatch.setattr(requests, "read", read)
        with pytest.raises(LinkError, match=r"gone; \d+ of 60 steps were complete") as caught:
            it.run(x=images(), record=())
        found = caught.value.recording
        assert 0 < len(found.t) < 60
        assert found.counts == {}


@slow
@compiler
def test_a_count_stops_at_65535():
    """In integers and in gates, of neurons that fire in every step and in every other one."""
    net = Network("long")
    net.input("x", 2)
    net.population("out", Unit(alpha=1.0), 2)
    net.connect("x", "out", Scale(2.0))
    net.output("out", sends="counts")
    steps = counts.MOST + 6
    x = np.ones((steps, 2))
    x[1::2, 1] = 0
    wanted = quiet(net.fixed(), x=x, record=())
    assert wanted.counts["out"].tolist() == [65_535, (steps + 1) // 2]
    assert wanted.saturated["out/counts"] == 6
    found = run_network(net.fixed(), x=x)
    assert np.array_equal(found.counts["out"], wanted.counts["out"])


@slow
@compiler
def test_what_a_net_of_digits_counts_is_what_it_says():
    r = np.random.default_rng(5)
    net = Network("digits")
    net.input("x", (1, 8, 8))
    net.population("h", LIF(dt=1.0), 32)
    net.population("out", LIF(dt=1.0), 10)
    net.connect("x", "h", Dense(r.normal(2, 9, (32, 64))))
    net.connect("h", "out", Dense(r.normal(4, 15, (10, 32))))
    net.output("out", sends="counts")
    x = r.random((16, 12, 1, 8, 8)) < 0.4
    found = network_parity(net, {"x": x}, progress=False)
    assert found.bit_exact, str(found)
    run = quiet(net.fixed(), x=x)
    assert np.array_equal(np.argmax(run.counts["out"], axis=1), classes(run, "out"))
    assert run.counts["out"].any(axis=1).all()


# -- who else has networks ------------------------------------------------------------------------
class CountingChip(IntegerChip):
    """One whose spikes do not leave by themselves."""

    def collect(self):
        super().collect()
        return NetworkRecording(self.dt, {}, {self.there: {}})


def test_a_chip_of_which_no_spike_leaves_is_watched():
    made = CountingChip(Population(LIF(), 2))
    with Watch(lambda: made, pace=PACES[1]) as watch:
        end = time.monotonic() + 20
        while watch.now < 20:
            assert time.monotonic() < end
            time.sleep(0.01)
    assert not any(len(raster.t) for raster in watch.view(1000).rasters.values())


@slow
def test_a_network_that_counts_is_exported(tmp_path):
    found = export_verilog(sending(q="counts", p="counts"), tmp_path, steps=9)
    assert "written_q_counts" in "".join(p.read_text() for p in tmp_path.glob("*.v"))
    assert found


NET = """
from scneuro import LIF, Network
from scneuro.network import Dense

network = Network("own")
network.input("x", 3)
network.population("out", LIF(dt=1.0), 2)
network.connect("x", "out", Dense([[80.0, 0, 0], [0, 80.0, 80.0]]))
network.output("out", sends="counts")
"""


def test_the_command_line_saves_shows_and_says_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(NET)
    np.save("x.npy", np.ones((40, 3)))
    given = ("own.py:network", "--stimulus", "x.npy", "--backend", "fixed")
    assert cli.main(["simulate", *given, "-o", "out.npz"]) == 0
    with np.load("out.npz") as file:
        kept = file["out/counts"]
        assert np.array_equal(kept, file["out/spike"].sum(axis=0))
    assert f"counts of out: {kept[0]}, {kept[1]}" in capsys.readouterr().out
    assert cli.main(["simulate", *given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"] == {"out": kept.tolist()}
    monkeypatch.setattr(counts, "MOST", 2)
    assert cli.main(["simulate", *given]) == 0
    missed = np.maximum(kept - 2, 0).sum()
    out = capsys.readouterr().out
    assert "counts of out: 2, 2; 2 of them at 2, where a count stays" in out
    assert f"out/counts: {missed} spikes were not counted" in out
    assert cli.main(["show", "own.py:network"]) == 0
    out = capsys.readouterr().out
    assert "population  out: 2 LIF, spikes are counted" in out
    assert "counts 32 bits" in out
    assert cli.main(["show", "own.py:network", "--outputs", "both"]) == 2
    assert "--outputs is of NIR files; own.py:network says it itself" in capsys.readouterr().err


@slow
@compiler
def test_run_saves_what_a_board_counted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(NET)
    np.save("x.npy", np.ones((40, 3)))
    given = ("own.py:network", "--stimulus", "x.npy", "--port", "simulated", "--board")
    assert cli.main(["run", *given, "icebreaker", "--spikes", "-o", "out.npz", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    with np.load("out.npz") as file:
        assert set(file) == {"t", "out/counts"}
        assert len(file["t"]) == 40
        assert figures["counts"]["out"] == file["out/counts"].tolist()
        assert figures["populations"][0]["spikes"] == file["out/counts"].sum() > 0
