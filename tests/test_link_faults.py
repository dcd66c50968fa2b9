"""Bytes that are lost, damaged, doubled or late, and ports that go away: no request is lost by it.

A schedule is what is asked of a chip and what happens to the bytes between. Whatever it is, each
request takes effect once or its failure says so, every wait ends, and the link works afterwards.
"""

import copy
from functools import cache

import numpy as np
import pytest
from checks import nightly
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from scneuro import LIF, Population
from scneuro.boards import BOARDS, LinkError, Port, connect
from scneuro.sim import SimulatedPort, simulated_board

pytestmark = pytest.mark.compiler

COUNT = 2
MADE = [0]  # steps of the board, after each schedule
TIMEOUT = 0.01  # s of the board's time: some dozen requests
MOST_CLOCKS = 10_000_000  # of a schedule: a hundred requests that are given up


def population():
    return Population(LIF(tau_m=2.0), COUNT)


@cache
def board():
    """One for all schedules: what one of them leaves is what the next one finds."""
    return simulated_board(population(), BOARDS["icebreaker"], baud=3_000_000)


class Faulty(Port):
    """A port to whose bytes something happens now and then.

    A fault is how many blocks of bytes, of both directions, pass before it, what it is, and two
    numbers.
    """

    def __init__(self, inner, faults):
        self._inner, self._faults = inner, faults
        self.name, self.baud, self.delay = "faulty", inner.baud, inner.delay
        self._late = b""
        self._is_gone = False
        self._end = inner.board.clocks + MOST_CLOCKS

    def write(self, content):
        self._inner.write(self._changed(content))

    def read(self, timeout):
        assert self._inner.board.clocks < self._end, "it waits for ever"
        self._check()
        late, self._late = self._late, b""
        got = self._inner.read(timeout)
        return self._changed(late + got, held=True) if late or got else b""

    def now(self):
        return self._inner.now()

    def _check(self):
        if self._is_gone:
            raise LinkError("faulty: unplugged")

    def _changed(self, content, held=False):
        self._check()
        if not self._faults or not content:
            return content
        before, kind, at, number = self._faults[0]
        if before:
            self._faults[0] = (before - 1, kind, at, number)
            return content
        self._faults.pop(0)
        at %= len(content)
        if kind == "drop":
            return content[:at] + content[at + 1 + number % 4 :]
        if kind == "insert":
            return content[:at] + bytes([number, number * 7 % 256][: 1 + number % 2]) + content[at:]
        if kind == "flip":
            return content[:at] + bytes([content[at] ^ (1 << number % 8)]) + content[at + 1 :]
        if kind == "burst":
            end = at + 1 + number % 3
            return content[:at] + bytes(x ^ 0x5A for x in content[at:end]) + content[end:]
        if kind == "duplicate":
            return content * (2 + number % 2)
        if kind == "truncate":
            return content[:at]
        if kind == "delay" and held:  # the driver has it when it has asked again
            self._late = content
            return b""
        if kind == "delay":
            self._inner.read(3e-6 * number)
            return content
        self._is_gone = True
        if number % 2:  # some of it was still on its way
            self._inner.write(content[:at])
        raise LinkError("faulty: unplugged")


KINDS = ("drop", "insert", "flip", "burst", "duplicate", "truncate", "delay", "cut")
FAULT = st.tuples(
    st.integers(0, 9), st.sampled_from(KINDS), st.integers(0, 300), st.integers(0, 255)
)
ASKED = st.sampled_from(("run", "spikes", "on", "step", "set", "get", "start", "connect"))
SCHEDULE = st.tuples(
    st.lists(ASKED, min_size=1, max_size=4), st.lists(FAULT, max_size=8), st.integers(0, 2**32 - 1)
)


class Session:
    """A chip and its integers, which are asked for the same."""

    def __init__(self, faults, number):
        self.faults = list(faults)
        self.rng = np.random.default_rng(number)
        self.twin = population().fixed()
        self.failed = 0
        self.least = self.most = MADE[-1]
        self.connect()
        self.reset()

    def undisturbed(self):
        return connect(SimulatedPort(board()), population(), timeout=TIMEOUT)

    def connect(self):
        """Until it is: there are only so many faults."""
        while True:
            try:
                port = Faulty(SimulatedPort(board()), self.faults)
                self.chip = connect(port, population(), timeout=TIMEOUT)
                return
            except LinkError:
                continue

    def reset(self):
        while True:
            try:
                self.chip.reset()
                self.twin.reset()
                return
            except LinkError:
                self.connect()

    def current(self, steps):
        return np.round(self.rng.uniform(0, 60, (steps, COUNT)))

    def ask(self, what):
        """Do it, and compare; if it fails, say so, and begin anew."""
        before = copy.deepcopy(self.twin)
        try:
            getattr(self, what)()
        except LinkError as error:
            self.failed += 1
            if what in ("run", "on", "spikes"):
                begun = error.recording
                self.same(begun, before.run(self.given, reset=what != "on", progress=False))
                assert len(begun.spike) <= len(self.given)
            self.connect()
            self.reset()

    def same(self, found, wanted):
        steps = len(found.spike)
        assert np.array_equal(found.spike, wanted.spike[:steps])
        for name in found.states:
            assert np.array_equal(found[name], wanted[name][:steps])

    # -- what can be asked for
    def run(self, reset=True, record=None):
        self.given = self.current(3)
        self.most += len(self.given)
        found = self.chip.run(self.given, reset=reset, record=record, progress=False)
        self.least += len(self.given)
        self.same(found, self.twin.run(self.given, reset=reset, progress=False))
        assert len(found.spike) == len(self.given)

    def on(self):
        self.run(reset=False)

    def spikes(self):
        self.run(record=())

    def step(self):
        (given,) = self.current(1)
        self.most += 1
        spike, v = self.chip.step(given)
        self.least += 1
        wanted = self.twin.step(given)
        assert np.array_equal(spike, wanted[0])
        assert np.array_equal(v, wanted[1])

    def set(self):
        values = self.rng.uniform(-70, -50, COUNT)
        self.chip.states["V"] = values
        self.twin.V = values
        self.get()

    def get(self):
        assert np.array_equal(self.chip.V, self.twin.V)

    def start(self):
        (given,) = self.current(1)
        self.chip.hold(given)
        self.most += 4
        self.chip.start(4, paced=False)
        found = []
        for _ in range(30):
            found += list(self.chip.collect().spike)
            if len(found) == 4:
                break
        self.least += 4
        wanted = self.twin.run(np.tile(given, (4, 1)), reset=False, progress=False).spike
        assert np.array_equal(found, wanted)

    def end(self):
        """With no more faults all is as it should be, and no step was made twice."""
        self.chip = self.undisturbed()
        if not self.failed:
            self.get()
        made = self.chip.counters["steps"]
        assert self.least <= made <= self.most
        if not self.failed:
            assert made == self.most
        self.run()
        self.get()
        MADE[:] = [self.chip.counters["steps"]]
        assert MADE[-1] == made + 3


def follow(schedule):
    asked, faults, number = schedule
    session = Session(faults, number)
    for what in asked:
        session.ask(what)
    session.end()


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEDULE)
def test_no_request_is_lost_or_done_twice(schedule):
    follow(schedule)


@pytest.mark.slow
@pytest.mark.parametrize("part", nightly(range(32), lambda part: part == 0))
def test_ten_thousand_more_lose_none(part):
    @seed(part)
    @settings(
        max_examples=313, derandomize=False, database=None, suppress_health_check=[*HealthCheck]
    )
    @given(SCHEDULE)
    def each(schedule):
        follow(schedule)

    each()
