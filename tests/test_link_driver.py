"""A chip's driver, against the gates of a simulated board: its arrays are those of the integers."""

import json
import os
import signal
import socket
import subprocess
import time
from functools import cache

import numpy as np
import pytest

from scneuro import LIF, AdEx, Network, NoisyLIF, Population, ScneuroError, cli
from scneuro.boards import BOARDS, LinkError, Port, connect
from scneuro.boards.link.codec import Message, Reader, reply_bytes, request_bytes
from scneuro.boards.link.requests import NoAnswer, Refused, Requests
from scneuro.boards.link.stepping import Stepping
from scneuro.errors import ToolError
from scneuro.hdl.link.layout import fed_words
from scneuro.link.messages import FRAME_BYTES, REQUEST, Kind, Status
from scneuro.network import Dense
from scneuro.sim import SimulatedPort, simulated_board
from scneuro.sim.live.serve import PseudoTerminal, Served, Socket, served

rng = np.random.default_rng(7)
HIDDEN, OUT = rng.normal(0, 40, (6, 5)), rng.normal(0, 60, (3, 6))


def network():
    net = Network("net")
    net.input("x", 5)
    net.population("h", LIF(tau_m=3.0), 6)
    net.population("out", LIF(tau_m=3.0), 3)
    net.connect("x", "h", Dense(HIDDEN))
    net.connect("h", "out", Dense(OUT))
    net.connect("out", "h", Dense(0.2 * OUT.T), delay=1)
    net.output("out")
    return net


def spikes(steps=40):
    return np.random.default_rng(3).random((steps, 5)) < 0.4


@cache
def board(kind=network):
    return simulated_board(kind(), BOARDS["icebreaker"], baud=3_000_000, flat_out=True)


def chip(kind=network, target=None, **options):
    return connect(SimulatedPort(board(kind)), target or kind(), timeout=0.05, **options)


def equal(found, wanted):
    assert np.array_equal(found, wanted)
    assert found.dtype == wanted.dtype


# -- frames ---------------------------------------------------------------------------------------
def test_a_message_is_found_after_anything():
    header = {"kind": 4, "status": 0, "sequence": 200, "position": 40_000}
    message = Message(header, (0, 1, 65535, 256))
    content = reply_bytes(message)
    assert content.count(b"\0") == 1
    reader = Reader()
    assert reader.feed(b"\x05rubbish\0" + content[:5]) == []
    assert reader.feed(content[5:] + content) == [message, message]
    assert reader.rejected == 1
    longest = {**dict.fromkeys(REQUEST, 255), "row": 65535}
    whole = request_bytes(Message(longest, (1,) * 120))
    assert len(whole) == FRAME_BYTES + 3  # a zero on either side, and one code
    assert Reader(REQUEST).feed(whole) == [Message(longest, (1,) * 120)]


def test_a_damaged_message_is_none():
    content = reply_bytes(Message({"kind": 1, "status": 0, "sequence": 1, "position": 0}, (7, 8)))
    for at in range(len(content) - 1):
        for bit in range(8):
            damaged = content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
            assert Reader().feed(damaged) == []
        assert Reader().feed(content[:at] + content[at + 1 :]) == []


def test_without_cobs_there_is_a_way_out(monkeypatch):
    monkeypatch.setattr("scneuro.boards.link.codec.cobs", None)
    with pytest.raises(ScneuroError, match=r"needs the package cobs\n.*scneuro\[board\]"):
        connect(Silent())


# -- runs -----------------------------------------------------------------------------------------
@pytest.mark.compiler
def test_a_networks_run_is_that_of_the_integers_in_every_array():
    x = spikes()
    wanted = network().fixed().run(x=x)
    with chip() as it:
        found = it.run(x=x)
        assert set(found.arrays()) == set(wanted.arrays())
        for name, values in wanted.arrays().items():
            equal(found[name], values)
        assert all(spike.any() for spike in found.spike.values())
        limited = {n: k for n, k in wanted.saturated.items() if n.endswith(".I")}
        assert found.saturated == limited
        before = it.counters
        some = it.run(x=x, record={"h": ["V"]})
        assert set(some.arrays()) == {"out/spike", "h/spike", "h/V"}
        equal(some["h/V"], wanted["h/V"])
        few = it.run(x=x, record=())
        assert set(few.arrays()) == {"out/spike"}
        equal(few["out/spike"], wanted["out/spike"])
        assert it.counters["steps"] - before["steps"] == 2 * len(x)
        assert it.counters["repeated"] == 0


def lif():
    return LIF(tau_m=1.0)


APART = Population(lif(), 3, init={"V": [-70.0, -60.0, -51.0]})
MORE = (AdEx(), NoisyLIF(), Population(lif(), 3), APART)
TARGETS = [lif(), *(pytest.param(t, marks=pytest.mark.slow) for t in MORE)]


@pytest.mark.compiler
@pytest.mark.parametrize("target", TARGETS, ids=lambda t: repr(t)[:30])
def test_a_neurons_run_is_that_of_the_integers(target):
    made = simulated_board(target, BOARDS["icebreaker"], baud=3_000_000, flat_out=True)
    many = isinstance(target, Population)
    size = (60, target.count) if many else 60
    current = np.random.default_rng(5).uniform(0, 3 * target.currents[0], size)
    fixed = target.fixed()
    assert fixed.run(current).spike.any() or target.name != "LIF"
    with connect(SimulatedPort(made), target) as it:
        for _ in range(2):
            found, wanted = it.run(current), fixed.run(current)
            equal(found.spike, wanted.spike)
            for name in (*wanted.states, *wanted.inputs):
                equal(found[name], wanted[name])
            assert found.words.keys() == wanted.words.keys()
            assert found.t.tolist() == wanted.t.tolist()
            for value in (0.0, target.currents[0]):  # and it goes on from there
                spike, v = it.step(value)
                expected = fixed.step(value)
                assert np.array_equal(spike, expected[0])
                assert np.array_equal(v, expected[1])
                assert type(spike) is type(expected[0])
            held = it.run(np.full(9, target.currents[0]), reset=False, record=())
            wanted = fixed.run(np.full(9, target.currents[0]), reset=False)
            equal(held.spike, wanted.spike)


@pytest.mark.compiler
def test_a_builtin_neurons_board_says_what_it_holds_and_no_other_is_taken_for_it():
    with connect(SimulatedPort(board(lif))) as it:
        assert it.target == lif()
        assert it.identity.board == "icebreaker"
        assert repr(it) == "<LIF on icebreaker, at simulated>"
        assert it.dt == LIF().dt
    with pytest.raises(
        LinkError, match=r"holds LIF \(\w{16}\), not LIF \(\w{16}\)\n.*from, LIF\(tau_m=1.0\)$"
    ):
        connect(SimulatedPort(board(lif)), LIF(tau_m=5.0))
    with pytest.raises(ScneuroError, match="holds net, and does not say what that is made of"):
        connect(SimulatedPort(board()))


# -- states, weights, held steps ------------------------------------------------------------------
@pytest.mark.compiler
def test_states_and_weights_are_read_and_written():
    x, net = spikes(), network()
    fixed = net.fixed()
    with chip() as it:
        wanted = fixed.run(x=x)
        it.run(x=x, record=())
        for name in ("h.V", "out.V"):
            population, state = name.split(".")
            equal(it.states[name], wanted.states[population][state][-1])
        values = np.array([-60.5, -70.0, -55.25])
        it.states["out.V"] = values
        equal(it.states["out.V"], values)
        assert list(it.states) == ["h.V", "out.V"]
        with pytest.raises(KeyError, match=r"no state 'out\.W'; there are h\.V, out\.V\n  did you"):
            it.states["out.W"]
        with pytest.raises(
            ValueError, match=r"out\.V = 1e\+06 mV is outside the -128 to -50 it can"
        ):
            it.states["out.V"] = 1e6
        with pytest.raises(ValueError, match=r"out\.V of neuron 1 = 3 mV is outside"):
            it.states["out.V"] = [-60, 3, -60]
        with pytest.raises(ValueError, match=r"out\.V has shape \(2,\), and there are 3 neurons"):
            it.states["out.V"] = [1e6, 0]
        assert list(it.weights) == ["x > h", "h > out", "out > h"]
        synapses = {str(s.projection): s for t in fixed.totals.values() for s in t.synapses}
        for name, s in synapses.items():
            equal(it.weights[name], np.ldexp(s.weights.astype(float), -s.point))
        it.weights["x > h"] = other = it.weights["x > h"][::-1]
        equal(it.weights["x > h"], other)
        found = it.run(x=x)
        wanted = fixed.with_weights({0: synapses["x > h"].weights[::-1]}).run(x=x)
        for name, values in wanted.arrays().items():
            equal(found[name], values)
        with pytest.raises(
            ValueError,
            match=r"x > h: the weight at \[4, 2\] is 300\.5, and the chip's are -128 to 127",
        ):
            it.weights["x > h"] = np.where(np.arange(30).reshape(6, 5) == 22, 300.5, other)
        with pytest.raises(ValueError, match=r"weights have shape \(6, 5\), and these \(5, 6\)"):
            it.weights["x > h"] = other.T
        equal(it.weights["x > h"], other)
        for missing in (lambda: it.weights["x>h"], lambda: it.weights.__setitem__("x>h", other)):
            with pytest.raises(KeyError, match="no weights 'x>h'; there are x > h") as caught:
                missing()
            assert isinstance(caught.value, ScneuroError)
            assert str(caught.value).endswith("\n  did you mean x > h?")
        it.load()
        equal(it.weights["x > h"], other[::-1])
    with chip() as again:  # what the chip holds was read, not remembered
        again.weights["x > h"] = other
    with chip() as again:
        equal(again.weights["x > h"], other)
        again.load()


@pytest.mark.compiler
def test_the_state_of_one_neuron_is_set_alone():
    with chip() as it:
        it.run(x=spikes(), record=())
        before = it._memory.read("out.V")
        it.states.set_one("out.V", 1, -60.5)
        after = it._memory.read("out.V")
        assert np.count_nonzero(np.any(before != after, axis=1)) == 1  # guard bits, too
        assert it.states["out.V"][1] == -60.5
        with pytest.raises(ValueError, match=r"out\.V is of neurons 0 to 2, not 3"):
            it.states.set_one("out.V", 3, -60.5)


def test_results_that_come_faster_than_they_are_taken_are_for_the_next_time():
    class Fast:
        """Leaves as many words as are taken, and more."""

        timeout, made = 1.0, 100

        def take(self, position, count):
            words = [k % 256 for k in range(position, min(self.made, position + count))]
            self.made += 2 * count
            return words, self.made % 512

    stepping = Stepping(Fast(), {"taken": 0}, output_words=7, kept=256, longest=1.0)
    first = stepping.taken()
    assert np.array_equal(stepping.taken()[: len(first)], first)  # nobody has it yet
    stepping.drop(len(first))
    second = stepping.taken()
    assert first.shape[1] == second.shape[1] == 7
    assert np.concatenate([first, second]).reshape(-1).tolist()[:140] == list(range(140))


@pytest.mark.parametrize("each", [1, 3, 100, 120])
def test_as_many_words_wait_as_the_chip_has_room_for(each):
    class Counting:
        """Makes no step before it is asked for results."""

        timeout, waiting, most, made = 1.0, 0, 0, 0

        def feed(self, words):
            self.waiting += len(words)
            self.most = max(self.most, self.waiting)
            return len(words)

        def take(self, position, count):
            made = self.waiting // each
            self.waiting, self.made = 0, self.made + made
            return [0] * made, self.made

    chip = Counting()
    chip.port = Silent()
    stepping = Stepping(chip, {"taken": 0}, output_words=1, kept=4096, longest=1.0)
    assert len(list(stepping.run(np.zeros((600, each), int)))) == 600
    assert chip.most == fed_words(each) // each * each


@pytest.mark.compiler
def test_what_nobody_collected_is_there_for_the_next_host():
    x = spikes(1)[0]
    wanted = network().fixed().run(x=np.tile(x, (500, 1))).spike["out"]
    for steps in (50, 256, 500):
        with chip() as it:
            it.reset()
            it.hold(x=x)
            before = it.counters["steps"]
            it.start(np.int64(steps), paced=False)
            board().exchange(b"", 100_000)
        found = []
        while len(found) < steps:
            with chip() as it:
                found += list(it.collect().spike["out"])
                assert it.counters["steps"] - before <= steps
        equal(np.array(found), wanted[:steps])
    with chip() as it:
        it.run(x=spikes(), record=())
    with chip() as it:
        assert len(it.collect().spike["out"]) == 0


@pytest.mark.compiler
def test_an_interrupted_collect_loses_none():
    x = spikes(1)[0]
    wanted = network().fixed().run(x=np.tile(x, (300, 1))).spike["out"]
    with chip() as it:
        it.reset()
        it.hold(x=x)
        it.start(300, paced=False)
        found, port, write = [], it._requests.port, it._requests.port.write
        calls = 0

        def interrupted(content):
            nonlocal calls
            calls += 1
            write(content)
            if calls % 3 == 0:
                raise KeyboardInterrupt

        port.write = interrupted
        while len(found) < 300:
            try:
                found += list(it.collect().spike["out"])
            except KeyboardInterrupt:
                continue
        port.write = write
    equal(np.array(found), wanted)


@pytest.mark.compiler
def test_mistakes_on_a_neurons_chip_are_refused_and_it_goes_on():
    with connect(SimulatedPort(board(lif))) as it:
        for steps in (1.5, "a", True):
            with pytest.raises(TypeError, match="steps must be a whole number, not"):
                it.start(steps)
        for call in (it.step, it.hold):
            with pytest.raises(TypeError, match="LIF has no input 'J'; it has I"):
                call(J=2)
        assert len(it.run([1.0, 2.0]).spike) == 2
    with pytest.raises(LinkError, match="this port was closed"):
        it.step(1.0)
    with chip() as it, pytest.raises(ValueError, match="read-only"):
        it.states["h.V"][1] = 3.0


@pytest.mark.compiler
def test_held_steps_go_on_until_they_are_over_or_paused():
    x, fixed = spikes(1)[0], network().fixed()
    with chip() as it:
        it.reset()
        it.hold(x=x)
        before = it.counters["steps"]
        it.start(20, paced=False)
        wanted = fixed.run(x=np.tile(x, (20, 1)))
        found = []
        while len(found) < 20:
            found += list(it.collect().spike["out"])
        equal(np.array(found), wanted.spike["out"])
        assert it.counters["steps"] - before == 20
        equal(it.states["h.V"], wanted.states["h"]["V"][-1])
        it.start(paced=True)
        while it.counters["steps"] - before < 30:
            it.collect()
        it.pause()
        it.collect()
        made = it.counters["steps"]
        assert it.counters["steps"] == made
        it.hold(x=1 - x)  # another one, in time
        it.start(2)
        it.hold(x=x)
        with pytest.raises(ValueError, match="steps must be 1 to 65,534, not 0"):
            it.start(0)
        # it goes on as if nothing had been held
        equal(it.run(x=spikes(), record=())["out/spike"], fixed.run(x=spikes())["out/spike"])


@pytest.mark.slow
@pytest.mark.compiler
def test_a_step_with_more_words_than_a_request_is_made_whole():
    wide = Population(LIF(tau_m=2.0), 130)
    made = simulated_board(wide, BOARDS["ulx3s_85f"], baud=5_000_000)
    current = np.random.default_rng(2).uniform(0, 60, (6, 130))
    wanted = wide.fixed().run(current)
    with connect(SimulatedPort(made), wide) as it:
        assert it._plan.frame_words > 120
        it.hold(0.0)
        equal(it.run(current, record=()).spike, wanted.spike)
        equal(it.V, wanted.V[-1])
        it.start(3, paced=False)  # of what was held, not of what the run left there
        found = []
        while len(found) < 3:
            found += list(it.collect().spike)
        equal(np.array(found), wide_after(wide, current))


def wide_after(wide, current):
    fixed = wide.fixed()
    fixed.run(current)
    return fixed.run(np.zeros(3), reset=False).spike


@pytest.mark.compiler
def test_what_cannot_be_run_is_refused_before_anything_is_sent():
    with chip() as it:
        made = it.counters["steps"]
        for call in (it.step, it.hold):
            for values, shape in (
                (3, r"\(\)"),
                ([1.0], r"\(1,\)"),
                (np.zeros((2, 5)), r"\(2, 5\)"),
            ):
                with pytest.raises(ValueError, match=rf"x has shape \(5,\) in a step, not {shape}"):
                    call(x=values)
            with pytest.raises(TypeError, match="has no input 'y'"):
                call(y=np.zeros(5))
        with pytest.raises(ValueError, match="one run at a time"):
            it.run(x=np.zeros((4, 2, 5)))
        with pytest.raises(TypeError, match="has no input 'y'"):
            it.run(y=np.zeros((4, 5)))
        with pytest.raises(
            ValueError, match=r"reset, or leave it out, such as record=\{'h': \['V'\]"
        ):
            it.run(x=np.zeros((4, 5)), reset=False)
        it.run(x=np.zeros((4, 5)), reset=False, record={"h": ["V"]})
        assert it.counters["steps"] - made == 4
    with chip(lif) as it:
        with pytest.raises(ValueError, match=r"shape \(5, 2\), and there is one neuron"):
            it.run(np.zeros((5, 2)))
        with pytest.raises(ValueError, match="does not fit"):
            it.run(np.full(5, 1e6))
        with pytest.raises(AttributeError, match="no attribute 'W'"):
            _ = it.W
        it.V = -60.0
        assert it.V == it.states["V"] == -60.0
        assert len(it.run([]).spike) == len(LIF().fixed().run([]).spike) == 0


@pytest.mark.compiler
def test_what_a_chip_does_not_have_cannot_be_set_and_the_error_lists_what_can():
    with chip() as it:
        for name in ("zz", "states", "weights", "network", "dt"):
            with pytest.raises(
                AttributeError, match=f"net: {name} cannot be set on a chip"
            ) as caught:
                setattr(it, name, 1)
            assert isinstance(caught.value, ScneuroError)
            assert caught.value.hint == (
                "what can be set is states[...] of h.V, out.V and weights[...] of x > h, h > out, "
                "out > h"
            )
        assert not hasattr(it, "zz")
        assert list(it.states) == ["h.V", "out.V"]
    with chip(lif) as it:
        for name in ("zz", "I", "target"):
            with pytest.raises(
                AttributeError, match=r"cannot be set on a chip\n.*can be set is V$"
            ):
                setattr(it, name, 1)
        assert not hasattr(it, "zz")


@pytest.mark.compiler
def test_what_a_run_records_is_named_and_a_wrong_name_lists_those_there_are():
    x = np.zeros((2, 5))
    with chip() as it:
        for record, kind, words in [
            ("outt", ValueError, "no population 'outt'; it has h, out. did you mean out?"),
            (["h.V"], ValueError, 'it has h, out. {"h": ["V"]} records that'),
            ({"h": ["W"]}, ValueError, "h has no 'W'; it has V, I"),
            ({"h": 3}, TypeError, "record of h is names of states and inputs, not 3"),
            (3, TypeError, "record is populations, or a mapping from them"),
        ]:
            with pytest.raises(kind) as caught:
                it.run(x=x, record=record)
            assert words in str(caught.value)
        assert set(it.run(x=x, record={"h": "V"}).arrays()) == {"out/spike", "h/spike", "h/V"}
    with chip(lif) as it:
        with pytest.raises(TypeError, match="LIF: record is the names of states, not 3"):
            it.run([1.0], record=3)
        with pytest.raises(ValueError, match="LIF has no state 'W' to record; it has V"):
            it.run([1.0], record=["W"])


@pytest.mark.slow
@pytest.mark.compiler
def test_weights_that_no_bitstream_brings_are_written_once(monkeypatch):
    from scneuro.boards import design

    real = design.network_hardware

    def loaded(fixed, part, lanes=None):
        from scneuro.hdl.network import Network as Gates

        made = real(fixed, part, lanes=lanes)
        return Gates(fixed, made.plan.lanes, made.form, loaded=True, linked=True)

    monkeypatch.setattr(design, "network_hardware", loaded)
    made = simulated_board(network(), BOARDS["icebreaker"], baud=3_000_000)
    x = spikes()
    with connect(SimulatedPort(made), network()) as it:
        assert it.identity.loaded
        equal(it.run(x=x, record=())["out/spike"], network().fixed().run(x=x)["out/spike"])
        other = it.weights["h > out"] * 0
        it.weights["h > out"] = other
    with connect(SimulatedPort(made), network()) as it:
        equal(it.weights["h > out"], other)  # as it was left


# -- what goes wrong ------------------------------------------------------------------------------
class Broken(Port):
    """Fails once so many requests have gone through."""

    name, delay = "broken", 0.0

    def __init__(self, inner, after, error):
        self._inner, self.baud, self.after, self.error = inner, inner.baud, after, error

    def write(self, content):
        self._inner.write(content)
        self.after -= 1
        if self.after == 0:
            raise self.error

    def read(self, timeout):
        return self._inner.read(timeout)

    def now(self):
        return self._inner.now()


@pytest.mark.compiler
@pytest.mark.parametrize(("record", "most"), [(None, 20), ((), 7)])
def test_a_run_that_is_interrupted_keeps_what_it_has_and_the_link_goes_on(record, most):
    x, fixed = spikes(), network().fixed()
    wanted = fixed.run(x=x)
    port = Broken(SimulatedPort(board()), 0, KeyboardInterrupt())
    with connect(port, network()) as it:
        it.run(x=x, record=record)
        for after in range(1, most):
            port.after = after
            with pytest.raises(KeyboardInterrupt) as caught:
                it.run(x=x, record=record)
            begun = caught.value.recording
            for name, values in begun.arrays().items():
                equal(values, wanted[name][: len(begun.t)])
            assert len(begun.t) < len(x)
            equal(it.run(x=x, record=())["out/spike"], wanted["out/spike"])


@pytest.mark.compiler
def test_a_run_whose_port_goes_away_says_how_far_it_came():
    x, fixed = spikes(), network().fixed()
    port = Broken(SimulatedPort(board()), 0, LinkError("broken: the board is gone", "plug it in"))
    with connect(port, network()) as it:
        port.after = 60
        with pytest.raises(LinkError, match=r"is gone; (\d+) of 40 steps were complete\n  plug"
                           ) as caught:  # fmt: skip
            it.run(x=x)
        begun = caught.value.recording
        assert f"; {len(begun.t)} of 40" in str(caught.value)
        assert 0 < len(begun.t) < 40
        equal(begun["h/I"], fixed.run(x=x)["h/I"][: len(begun.t)])
    with chip() as it:
        equal(it.run(x=x, record=())["out/spike"], fixed.run(x=x)["out/spike"])


class Silent(Port):
    """Says what it is told to say."""

    name, baud = "nowhere", 115_200

    def __init__(self, says=b""):
        self.says, self._time = says, 0.0
        self.closed = False

    def write(self, content):
        pass

    def read(self, timeout):
        self._time += timeout
        return self.says

    def now(self):
        return self._time

    def close(self):
        self.closed = True


def test_a_board_that_does_not_answer_is_given_up():
    port = Silent()
    with pytest.raises(NoAnswer, match=r"nowhere: no answer to \d+ requests at 115,200 baud\n"):
        connect(port, timeout=1.0)
    assert 1.0 <= port.now() < 4.0
    assert port.closed
    with pytest.raises(NoAnswer, match=r"but \d+ damaged frames\n.*baud rate"):
        connect(Silent(b"\x01\x02\x03\0"), timeout=0.1)


@pytest.mark.compiler
def test_another_baud_rate_is_no_answer():
    made = board()
    fast = simulated_board(network(), BOARDS["icebreaker"], baud=3_000_000, flat_out=True)
    fast._divisor = 12  # the host's line is slower than the design's
    port = SimulatedPort(fast)
    port.baud = 1_000_000
    with pytest.raises(NoAnswer, match="at 1,000,000 baud"):
        connect(port, network(), timeout=0.005)
    assert made.broken == 0


@pytest.mark.compiler
def test_a_refusal_names_its_status_and_nothing_hangs_on_it():
    requests = Requests(SimulatedPort(board()), timeout=0.05)
    with pytest.raises(Refused, match="refuses to read: outside") as caught:
        requests.read(99, 0, 1)
    assert caught.value.status == Status.OUTSIDE
    with pytest.raises(Refused, match="refuses to write: outside"):
        requests.write(1, 0, [1])
    requests.write(0, 16, [0])
    requests._last = (requests._last + 9) % 256
    with pytest.raises(Refused, match="taken requests that were not made here"):
        requests.write(0, 16, [0])
    requests.write(0, 16, [0])
    assert requests.read(0, 16, 1) == [0]
    assert Kind.FEED in Kind


def test_a_port_that_cannot_be_opened_says_why(tmp_path):
    pytest.importorskip("serial")
    with pytest.raises(LinkError, match="cannot open /dev/nowhere: there is no such port\n"):
        connect("/dev/nowhere")
    with pytest.raises(LinkError, match=r"cannot open socket://localhost:1: nobody listens there"):
        connect("socket://localhost:1")
    with pytest.raises(LinkError, match="cannot open nothing://here"):
        connect("nothing://here")
    if hasattr(os, "getuid") and os.getuid():
        locked = tmp_path / "tty"
        locked.write_bytes(b"")
        locked.chmod(0)
        with pytest.raises(LinkError, match="you may not open it"):
            connect(locked)


# -- a board behind a port ------------------------------------------------------------------------
LINES = [Socket, pytest.param(PseudoTerminal, marks=pytest.mark.skipif(os.name == "nt", reason=""))]


@pytest.mark.compiler
@pytest.mark.parametrize("kind", LINES)
def test_clients_come_and_go_and_the_board_stays_as_it_is(kind):
    pytest.importorskip("serial")
    x, made = spikes(8), board()
    wanted = network().fixed().run(x=x)
    with served(made, kind()) as port:
        with connect(port, network()) as it:
            it.run(x=x, record=())
            assert repr(it).endswith(f"at {port}>")
        with pytest.raises(LinkError, match="this port was closed\n  connect again"):
            it.run(x=x)
        with connect(port, network()) as it:
            equal(it.states["h.V"], wanted.states["h"]["V"][-1])
        with connect(port, network()) as it:
            equal(it.run(x=x, record=())["out/spike"], wanted["out/spike"])
    with pytest.raises(LinkError, match=r"gone|cannot open"):
        connect(port, network(), timeout=0.2)


@pytest.mark.compiler
def test_a_socket_has_one_client_and_a_name():
    line = Socket()
    with pytest.raises(ScneuroError, match="cannot listen on port"):
        Socket(int(line.port.rpartition(":")[2]))
    with pytest.raises(ScneuroError, match="cannot listen on port 99999"):
        Socket(99999)
    pytest.importorskip("serial")
    with served(board(), line) as port, connect(port, network()) as it:
        with pytest.raises(LinkError):
            connect(port, network(), timeout=0.3)
        assert it.counters["dropped"] == 0


def test_a_client_that_is_busy_is_not_put_out_by_another_one():
    line = Socket()
    there = ("127.0.0.1", int(line.port.rpartition(":")[2]))

    def client():
        made = socket.create_connection(there, timeout=5)
        time.sleep(0.05)  # it is there, and so is what was sent
        return made

    with client() as first:
        assert line.read() == b""
        first.sendall(b"asked")
        with client() as second:
            assert line.read() == b"asked"
            line.write(b"answered")
            assert first.recv(99) == b"answered"
            assert line.read() == b""
            assert second.recv(99) == b""  # it was sent away
    with client() as third:
        line.read()
        third.sendall(b"again")
        time.sleep(0.05)
        assert line.read() == b"again"
    line.close()


@pytest.mark.compiler
def test_in_real_time_the_clock_is_no_faster_than_the_boards():
    slow = simulated_board(lif(), BOARDS["icebreaker"], baud=3_000_000, flat_out=True)
    slow.clock_hz = 100_000  # as if it were
    with served(slow, Socket(), real_time=True):
        speed = Served(slow)
        time.sleep(0.3)
        assert 0 < speed.clocks < 100_000 * (speed.seconds + 0.1)
        assert "times the board's" in str(speed)


# -- the command line -----------------------------------------------------------------------------
@pytest.mark.compiler
def test_run_writes_what_simulate_does(tmp_path, capsys):
    common = ["lif", "--set", "tau_m=1", "--steps", "40", "--current", "30"]
    on = ["--port", "simulated", "--board", "icebreaker", "--baud", "3000000"]
    assert cli.main(["run", *common, *on, "-o", str(tmp_path / "a.npz"), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    backend = ["--backend", "fixed", "-o", str(tmp_path / "b.npz")]
    assert cli.main(["simulate", *common, *backend, "--json"]) == 0
    wanted = json.loads(capsys.readouterr().out)
    assert figures["board"] == figures.pop("backend") == "icebreaker"
    assert figures.pop("counters")["steps"] == 40
    assert {**wanted, "board": "icebreaker"} == {**figures, "backend": "fixed"}
    found, expected = np.load(tmp_path / "a.npz"), np.load(tmp_path / "b.npz")
    assert set(found) == set(expected)
    for name in expected:
        equal(found[name], expected[name])
    assert cli.main(["run", *common, *on, "--spikes"]) == 0
    assert "at the end" not in capsys.readouterr().out


NET = """
import numpy as np
from scneuro import LIF, Network
from scneuro.network import Dense
net = Network("small")
net.input("x", 4)
net.population("h", LIF(tau_m=2.0), 3)
net.population("out", LIF(tau_m=2.0), 2)
net.connect("x", "h", Dense(np.full((3, 4), 60.0)))
net.connect("h", "out", Dense(np.full((2, 3), 60.0)))
"""


@pytest.mark.slow
@pytest.mark.compiler
def test_run_takes_networks_and_boards_behind_a_port(tmp_path, capsys, command_line):
    pytest.importorskip("serial")
    file = tmp_path / "small.py"
    file.write_text(NET)
    target = f"{file}:net"
    program = [*command_line, "board", target, "--board", "icebreaker", "--json"]
    with subprocess.Popen(
        [*program, "--tcp", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            said = json.loads(process.stdout.readline())
            assert (said["target"], said["board"]) == ("small", "icebreaker")
            on = ["--port", said["port"], "--steps", "20", "-o", str(tmp_path / "a.npz")]
            assert cli.main(["run", target, *on]) == 0
            assert "small (icebreaker): 20 steps" in capsys.readouterr().out
            assert cli.main(["run", target, "--port", said["port"], "--board", "ulx3s_85f"]) == 2
            assert "this is icebreaker, not ulx3s_85f" in capsys.readouterr().err
            assert cli.main(["run", "lif", "--port", said["port"], "--steps", "5"]) == 2
            assert "holds small" in capsys.readouterr().err
        finally:
            process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
            try:
                _, error = process.communicate(timeout=20)
            finally:
                process.kill()
    if os.name == "posix":
        assert process.returncode == 0, error
        assert "million clocks a second" in error
    wanted = tmp_path / "b.npz"
    options = ["--backend", "fixed", "--steps", "20", "-o", str(wanted)]
    assert cli.main(["simulate", target, *options]) == 0
    found, expected = np.load(tmp_path / "a.npz"), np.load(wanted)
    assert set(found) == set(expected)
    for name in expected:
        equal(found[name], expected[name])


def test_what_is_asked_for_wrongly_is_one_line(capsys, monkeypatch):
    for arguments, message in [
        (["run", "lif", "--port", "simulated"], "say which board"),
        (["run", "lif", "--port", "/dev/nowhere"], "cannot open /dev/nowhere"),
        (["run", "lif", "--port", "simulated", "--board", "nope"], "no board 'nope'"),
        (["run", "lif", "--port", "x", "--baud", "0"], "baud must be at least 1"),
        (
            ["board", "lif", "--board", "icebreaker", "--baud", "9000000"],
            "cannot make 9,000,000 baud",
        ),
        (["board", "lif", "--board", "icebreaker", "--tcp", "70000"], "cannot listen on port"),
    ]:
        assert cli.main(arguments) == 2, arguments
        captured = capsys.readouterr()
        assert message in captured.err
        assert "Traceback" not in captured.err
        assert captured.out == ""
    monkeypatch.setattr("scneuro.sim.engines.compiled.compiler", _no_compiler)
    assert cli.main(["run", "lif", "--port", "simulated", "--board", "icebreaker"]) == 2
    assert "no compiler here" in capsys.readouterr().err


def _no_compiler():
    raise ToolError("no compiler here")
