"""A linked design, compiled, asked over its UART for all that there is, at the edges."""

import random
import struct

import numpy as np
import pytest

from scneuro import LIF
from scneuro.boards.link.codec import Message, Reader, request_bytes
from scneuro.hdl.link.top import LinkTop
from scneuro.hdl.network import Network as Gates
from scneuro.hdl.top import Plan
from scneuro.link.messages import (
    FIRST_MEMORY,
    HELD,
    IDENTITY_WORDS,
    MOST_WORDS,
    NO_END,
    REGISTERS,
    Kind,
    Region,
    Status,
)
from scneuro.network import Dense, Network
from scneuro.network.plan import frames_of
from scneuro.sim.live.board import SimulatedBoard, SimulatedPort

CLOCK, BAUD, STEP = 12_000_000, 3_000_000, 6000
IDENTITY = b'{"scneuro": 1, "name": "small"}'
KEPT = 256
ORDERED = (Kind.WRITE, Kind.FEED, Kind.TAKE)


def small(*outputs: str) -> Network:
    r = np.random.default_rng(0)
    net = Network("small")
    net.input("s", 20)
    net.population("p", LIF(), 6)
    net.population("q", LIF(), 18)
    net.connect("s", "p", Dense(r.normal(40, 60, (6, 20))))
    net.connect("p", "q", Dense(r.normal(100, 50, (18, 6))), delay=1)
    net.output(*(outputs or ("q", "p")))
    return net


class Host:
    """Sends requests as they are given, and says what is answered."""

    def __init__(self, gates: Gates, board: SimulatedBoard) -> None:
        self.gates, self.port, self.reader = gates, SimulatedPort(board), Reader()
        self.last = self.words = self.position = 0

    def send(self, kind: int, region=0, row=0, count=0, words=(), sequence=0) -> None:
        header = {"kind": kind, "region": region, "row": row, "count": count, "sequence": sequence}
        self.port.write(request_bytes(Message(header, tuple(int(w) for w in words))))

    def reply(self, clocks: int = 100_000) -> Message | None:
        end = self.port.board.clocks + clocks
        while (left := end - self.port.board.clocks) > 0:
            if found := self.reader.feed(self.port.read(left / CLOCK)):
                assert len(found) == 1
                return found[0]
        return None

    def ask(self, kind: int, region=0, row=0, count=None, words=(), sequence=None):
        """The reply to a request: its status, its position and its words."""
        if sequence is None:
            sequence = (self.last + 1) % 256 if kind in ORDERED else 77
        count = len(words) if count is None else count
        self.send(kind, region, row, count, words, sequence)
        reply = self.reply()
        assert reply is not None, "no reply"
        assert (reply["kind"], reply["sequence"]) == (kind & 15, sequence)
        if kind in ORDERED and reply["status"] == Status.OK:
            if kind == Kind.FEED and sequence != self.last:
                self.words += reply["position"]
            self.last = sequence
        return reply["status"], reply["position"], list(reply.words)

    def read(self, region: int, row: int, count: int) -> list[int]:
        status, _, words = self.ask(Kind.READ, region, row, count)
        assert status == Status.OK
        assert len(words) == count
        return words

    def write(self, region: int, row: int, words) -> None:
        assert self.ask(Kind.WRITE, region, row, words=words)[0] == Status.OK

    def register(self, name: str) -> int:
        r = REGISTERS[name]
        return sum(w << 16 * k for k, w in enumerate(self.read(0, r.row, r.bits // 16)))

    def set(self, name: str, value: int) -> None:
        r = REGISTERS[name]
        self.write(0, r.row, [value >> k & 0xFFFF for k in range(0, r.bits, 16)])

    def feed(self, words) -> int:
        status, position, _ = self.ask(Kind.FEED, words=words)
        assert status == Status.OK
        return position

    def take(self, count: int = MOST_WORDS) -> list[int]:
        """Results that were not taken yet."""
        status, made, words = self.ask(Kind.TAKE, row=self.position, count=count)
        assert status == Status.OK
        self.position = (self.position + len(words)) % (2 * KEPT)
        self.made = made
        return words

    def results(self, steps: int) -> np.ndarray:
        found: list[int] = []
        for _ in range(100):
            found += self.take()
            if len(found) >= steps * self.gates.plan.output_words:
                break
        return np.reshape(found, (steps, -1))

    def wait(self, clocks: int) -> None:
        assert self.port.read(clocks / CLOCK) == b""

    def begin(self) -> None:
        """As a chip is at the start, but for its memories."""
        self.wait(20_000)
        self.last, self.reader = 0, Reader()
        status, position, _ = self.ask(Kind.FEED, sequence=random.randrange(2, 250))
        self.last = position if status == Status.ORDER else self.last
        self.write(0, 0, [0, 0])
        frame = self.gates.plan.frame_words
        for _ in range(2):
            self.position = self.ask(Kind.TAKE, row=1000, count=0)[1]
            assert self.take(0) == []
            while rest := -self.words % frame:
                self.feed([0] * rest)
            self.wait(20_000)
        self.write(0, REGISTERS["steps"].row, [0] * 6)
        self.set("restart", 1)


@pytest.fixture(scope="module")
def design():
    gates = Gates(small().fixed(), lanes=8, linked=True)
    top = LinkTop(gates, IDENTITY, Plan(CLOCK, BAUD, STEP, 1, ()))
    return Host(gates, SimulatedBoard(top, clock_hz=CLOCK, baud=BAUD))


@pytest.fixture
def host(design):
    design.begin()
    return design


def given(steps: int, seed: int = 0):
    """Spikes, their words, and what leaves a network that begins anew, (steps, words)."""
    net = small()
    fixed = net.fixed()
    gates = Gates(fixed, lanes=8)
    spikes = {"s": np.random.default_rng(seed).random((steps, 20)) < 0.4}
    ran = fixed.run(**spikes, progress=False)
    bits = {n: np.asarray(ran.spike[n], dtype=np.int64) for n in ("p", "q")}
    order = {n: gates.plan.places[n].order for n in ("p", "q")}
    words = []
    for n in ("q", "p"):
        own = bits[n][:, order[n]]
        for at in range(0, own.shape[1], 16):
            part = own[:, at : at + 16]
            words.append(part @ (1 << np.arange(part.shape[1])))
    return frames_of(fixed, gates.plan, spikes), np.stack(words, axis=1)


def regions(host):
    known = [
        (Region.SETTINGS, HELD + host.gates.plan.frame_words, 1, False),
        (Region.IDENTITY, IDENTITY_WORDS, 1, False),
    ]
    return known + [
        (FIRST_MEMORY + k, r.rows, r.words, r.writable and r.bits == 16 * r.words)
        for k, r in enumerate(host.gates.regions)
    ]


def test_every_region_is_read_to_its_last_row_and_not_beyond(host):
    for region, rows, words, _ in regions(host):
        first = host.read(region, 0, words)
        last = host.read(region, rows - 1, words)
        many = min(rows, MOST_WORDS // words)
        whole = host.read(region, 0, many * words)
        assert whole[:words] == first
        if many == rows:
            assert whole[-words:] == last
        if words > 1:
            assert host.read(region, 0, words - 1) == first[:-1]
            assert host.read(region, 0, words + 1) == whole[: words + 1]
        assert host.ask(Kind.READ, region, rows, 0)[0] == Status.OK
        for row, count in ((rows, 1), (rows - 1, words + 1), (0xFFFF, 1), (rows + 256, 1)):
            status, _, found = host.ask(Kind.READ, region, row, count)
            assert (status, found) == (Status.OUTSIDE, [])


@pytest.mark.parametrize("region", [2, 7, "beyond", 128, 255])
def test_an_unknown_region_is_outside(host, region):
    region = FIRST_MEMORY + len(host.gates.regions) if region == "beyond" else region
    assert host.ask(Kind.READ, region, 0, 1)[0] == Status.OUTSIDE
    assert host.ask(Kind.WRITE, region, 0, words=[1])[0] == Status.OUTSIDE


def test_the_identity_is_there_and_stays(host):
    found = host.read(Region.IDENTITY, 0, 120)
    assert b"".join(w.to_bytes(2, "little") for w in found) == IDENTITY.ljust(240, b"\0")
    assert host.ask(Kind.WRITE, Region.IDENTITY, 0, words=[1, 2])[0] == Status.OUTSIDE
    assert host.read(Region.IDENTITY, 0, 120) == found
    assert host.read(Region.IDENTITY, IDENTITY_WORDS - 1, 1) == [0]


def test_weights_and_states_keep_what_is_written(host):
    draw = random.Random(1)
    for k, region in enumerate(host.gates.regions):
        if not region.writable:
            continue
        number, words = FIRST_MEMORY + k, region.words
        many = min(region.rows, MOST_WORDS // words)
        before = host.read(number, 0, many * words)
        values = [draw.randrange(1 << (region.bits - 1)) for _ in range(many)]
        new = [v >> 16 * j & 0xFFFF for v in values for j in range(words)]
        host.write(number, 0, new)
        assert host.read(number, 0, many * words) == new
        host.write(number, 1, new[:words])  # one row, and no other
        assert host.read(number, 0, many * words) == new[:words] * 2 + new[2 * words :]
        last = host.read(number, region.rows - 1, words)
        host.write(number, region.rows - 1, new[:words])
        assert host.read(number, region.rows - 1, words) == new[:words]
        host.write(number, region.rows - 1, last)
        host.write(number, 0, before)


def test_a_write_that_ends_outside_has_written_the_rows_before(host):
    for region, rows, words, writable in regions(host):
        if not (writable or region == Region.SETTINGS):
            continue
        new = list(range(1, 2 * words + 1))
        before = host.read(region, rows - 1, words)
        assert host.ask(Kind.WRITE, region, rows - 1, words=new)[0] == Status.OUTSIDE
        assert host.read(region, rows - 1, words) == new[:words]
        host.write(region, rows - 1, before)
        assert host.ask(Kind.WRITE, region, rows, words=new)[0] == Status.OUTSIDE
        if words > 1:
            before = host.read(region, 0, words)
            assert host.ask(Kind.WRITE, region, 0, words=new[:-1])[0] == Status.OUTSIDE
            assert host.read(region, 0, words) == new[:words]
            host.write(region, 0, before)


def test_spikes_are_not_written(host):
    for k, region in enumerate(host.gates.regions):
        if not region.writable:
            before = host.read(FIRST_MEMORY + k, 0, region.rows)
            new = [0xFFFF] * region.rows
            assert host.ask(Kind.WRITE, FIRST_MEMORY + k, 0, words=new)[0] == Status.OUTSIDE
            assert host.read(FIRST_MEMORY + k, 0, region.rows) == before


def test_counts_must_agree_with_words_and_be_no_more_than_a_frame_has(host):
    for kind in (Kind.READ, Kind.TAKE):
        assert host.ask(kind, row=host.position, count=121)[0] == Status.OUTSIDE
        assert host.ask(kind, row=host.position, count=255)[0] == Status.OUTSIDE
        assert host.ask(kind, row=host.position, count=1, words=[5])[0] == Status.OUTSIDE
    for kind in (Kind.WRITE, Kind.FEED):
        for count, words in ((0, [1]), (2, [1]), (1, []), (121, [0] * 120), (129, [0])):
            assert host.ask(kind, 0, HELD, count, words)[0] == Status.OUTSIDE
        assert host.ask(kind, 0, HELD)[0] == Status.OK  # no word at all
    assert host.ask(Kind.READ, 0, 0, 0)[0] == Status.OK


def test_another_kind_is_unknown_whatever_else_it_says(host):
    for kind in (0, 5, 8, 15, 16, 17, 0x21, 255):
        status, _, words = host.ask(kind, 0, 0, 1)
        assert (status, words) == (Status.UNKNOWN, [])
        assert host.ask(kind, 0, 0, 3, [1, 2, 3])[0] == Status.UNKNOWN


def test_a_repetition_is_answered_and_done_once(host):
    frame = host.gates.plan.frame_words
    assert host.feed([0] * frame) == frame
    assert host.ask(Kind.FEED, words=[0] * frame, sequence=host.last)[:2] == (0, frame)
    host.wait(20_000)
    assert host.register("steps") == 1
    made = host.take()
    assert len(made) == host.gates.plan.output_words
    assert host.ask(Kind.TAKE, row=host.made - len(made), count=9, sequence=host.last)[2] == made
    host.write(0, HELD, [11])
    assert host.ask(Kind.WRITE, 0, HELD, words=[12], sequence=host.last)[0] == Status.OK
    assert host.read(0, HELD, 1) == [11]


def test_another_sequence_is_refused_with_the_last_one(host):
    host.write(0, HELD, [3])
    for kind in ORDERED:
        for ahead in (2, 3, 128, 254, 255):
            other = (host.last + ahead) % 256
            words = [] if kind == Kind.TAKE else [1]
            status, position, found = host.ask(kind, 0, HELD, words=words, sequence=other)
            if kind == Kind.TAKE and status == Status.OUTSIDE:
                continue
            assert (status, position, found) == (Status.ORDER, host.last, [])
    assert host.read(0, HELD, 1) == [3]


def test_sequences_go_round(host):
    for k in range(300):
        host.write(0, HELD, [k])
    assert host.read(0, HELD, 1) == [299]


def test_a_take_outside_is_refused_and_tells_where_results_are(host):
    frames, expected = given(2)
    host.feed(frames.reshape(-1))
    host.wait(20_000)
    begin = host.position
    for row in (begin + 7, begin - KEPT, begin + 0x1000, 0xFFFF, 0x8000):
        status, made, words = host.ask(Kind.TAKE, row=row & 0xFFFF, count=3)
        assert (status, made, words) == (Status.OUTSIDE, (begin + 6) % (2 * KEPT), [])
    assert host.results(2).tolist() == expected.tolist()


def test_steps_are_the_integers(host):
    frames, expected = given(100)
    todo, found = frames.reshape(-1).tolist(), []
    while len(found) < expected.size:
        if todo:
            todo = todo[host.feed(todo[:MOST_WORDS]) :]
        found += host.take()
    assert found == expected.reshape(-1).tolist()
    assert expected.any()
    assert host.register("steps") == 100
    assert host.register("late") == 0


def test_what_there_is_no_room_for_is_not_taken(host):
    frames, expected = given(400)
    todo, taken = frames.reshape(-1).tolist(), 0
    for _ in range(20):  # without a take: results fill, then words do
        accepted = host.feed(todo[taken : taken + MOST_WORDS])
        taken += accepted
        host.wait(20_000)
    assert accepted == 0
    steps = host.register("steps")
    size = host.gates.plan.output_words
    assert KEPT - 2 * size < steps * size <= KEPT or steps * size > KEPT // 2
    assert taken < len(todo)
    found = []
    while len(found) < expected.size:
        found += host.take()
        taken += host.feed(todo[taken : taken + MOST_WORDS])
    assert found == expected.reshape(-1).tolist()


def test_results_can_be_taken_again_until_they_are_freed(host):
    frames, expected = given(3)
    host.feed(frames.reshape(-1))
    host.wait(20_000)
    for at in range(9):
        for count in (1, 2, 120):
            row = (host.position + at) % (2 * KEPT)
            words = host.ask(Kind.TAKE, row=row, count=count)[2]
            assert words == expected.reshape(-1)[at : at + count].tolist()


def test_held_steps_end_when_none_are_left(host):
    frames, _ = given(1)
    frame = np.tile(frames[0], (10, 1))
    host.write(0, HELD, frame[0])
    host.set("left", 5)
    host.wait(20_000)
    assert host.register("steps") == 0
    host.set("control", 1)
    host.wait(20_000)
    assert (host.register("steps"), host.register("left")) == (5, 0)
    first = host.results(5)
    host.set("left", 1)
    host.wait(20_000)
    assert (host.register("steps"), host.register("left")) == (6, 0)
    host.results(1)
    host.set("control", 0)
    host.set("restart", 1)
    host.feed(frame[:5].reshape(-1))
    host.wait(20_000)
    assert host.results(5).tolist() == first.tolist()


def test_held_steps_without_an_end_go_on_until_they_are_stopped(host):
    host.write(0, HELD, given(1)[0][0])
    host.write(0, 0, [1, NO_END])
    for _ in range(4):
        host.wait(5000)
        host.position = host.ask(Kind.TAKE, row=1000, count=0)[1]
        host.take(0)
    assert host.register("left") == NO_END
    host.set("control", 0)
    host.wait(20_000)
    steps = host.register("steps")
    assert steps > 4
    host.wait(20_000)
    assert host.register("steps") == steps


def test_words_that_are_fed_wait_while_steps_are_held(host):
    frames, expected = given(4)
    host.write(0, 0, [1, 0])
    assert host.feed(frames.reshape(-1)) == frames.size
    host.wait(20_000)
    assert host.register("steps") == 0
    host.set("control", 0)
    host.wait(20_000)
    assert host.results(4).tolist() == expected.tolist()


def test_paced_steps_come_in_their_time(host):
    frames, expected = given(40)
    host.set("control", 2)
    assert host.feed(frames[:40].reshape(-1)) == 120
    begin = host.port.board.clocks
    host.wait(20 * STEP)
    steps, clocks = host.register("steps"), host.port.board.clocks - begin
    assert abs(steps - clocks / STEP) <= 2
    host.wait(25 * STEP)
    assert host.results(40).tolist() == expected.tolist()
    assert host.register("late") == 0
    host.wait(10 * STEP)  # nothing is late where there is nothing to do
    host.feed(frames[:2].reshape(-1))
    host.wait(4 * STEP)
    assert host.register("late") == 0


def test_a_paced_step_without_room_is_late(host):
    host.write(0, HELD, given(1)[0][0])
    host.write(0, 0, [3, 150])
    host.wait(120 * STEP)
    assert host.register("late") == 0
    steps = host.register("steps")
    assert 40 < steps <= KEPT // 3
    assert host.port.board.late == 0
    while len(host.take()) == MOST_WORDS:
        pass
    host.wait(5 * STEP)
    assert host.register("late") >= 1
    assert host.port.board.late == 1


def test_restart_gives_every_neuron_its_initial_state(host):
    states = [k for k, r in enumerate(host.gates.regions) if r.name.endswith(".V")]
    initial = [host.read(FIRST_MEMORY + k, 0, 12) for k in states]
    for k in states:
        host.write(FIRST_MEMORY + k, 0, [1000, 0] * 6)
    assert host.read(FIRST_MEMORY + states[0], 0, 12) == [1000, 0] * 6
    host.set("restart", 0)
    assert host.read(FIRST_MEMORY + states[0], 0, 12) == [1000, 0] * 6
    host.set("restart", 1)
    assert [host.read(FIRST_MEMORY + k, 0, 12) for k in states] == initial
    frames, expected = given(6)
    for _ in range(2):
        host.set("restart", 1)
        host.feed(frames.reshape(-1))
        host.wait(20_000)
        assert host.results(6).tolist() == expected.tolist()


def test_counters_are_of_32_bits_and_written(host):
    for name in ("steps", "late", "saturated"):
        host.set(name, 0x1234FFFF)
        assert host.register(name) == 0x1234FFFF
    host.feed(given(2)[0].reshape(-1))
    host.wait(20_000)
    assert host.register("steps") == 0x12350001
    assert host.register("late") == 0x1234FFFF
    host.set("steps", 0xFFFFFFFF)
    host.feed(given(1)[0].reshape(-1))
    host.wait(20_000)
    assert host.register("steps") == 0


def test_inputs_beyond_their_limits_are_counted(host):
    k = next(k for k, r in enumerate(host.gates.regions) if r.name == "weights")
    region = host.gates.regions[k]
    before = host.read(FIRST_MEMORY + k, 0, 80)
    largest = [0x7F7F] * 80  # as far as weights go
    host.write(FIRST_MEMORY + k, 0, largest)
    frame = np.zeros(host.gates.plan.frame_words, dtype=int)
    frame[1:] = 0xFFFF
    frame[-1] &= 0xF
    host.feed(frame)
    host.wait(20_000)
    assert host.register("saturated") == 6
    counts = [6]
    for _ in range(8):
        host.feed(frame)
        host.wait(10_000)
        counts.append(host.register("saturated"))
    assert max(np.diff(counts)) == 24  # all that a step reads
    assert region.words == 4
    host.write(FIRST_MEMORY + k, 0, before)


def test_registers_that_no_step_changes_keep_what_is_written(host):
    host.write(0, 1, [7, 0, 9])
    assert host.read(0, 0, 16)[:4] == [0, 7, 0, 9]
    host.write(0, 10, [1, 2, 3, 4, 5, 6])
    assert host.read(0, 10, 6) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("seed", range(3))
def test_garbage_between_frames_is_no_request(host, seed):
    draw = random.Random(seed)
    for _ in range(10):
        garbage = bytes(draw.choice([0, draw.randrange(256)]) for _ in range(draw.randrange(600)))
        host.port.write(garbage)
        host.wait(len(garbage) * 41 + 4000)
        host.write(0, HELD, [draw.randrange(1 << 16)])
    assert len(host.read(0, 0, 3)) == 3


def test_half_a_frame_then_a_whole_one(host):
    header = {"kind": Kind.READ, "region": 1, "row": 0, "count": 5, "sequence": 9}
    whole = request_bytes(Message(header))
    for cut in range(len(whole) - 1):
        host.port.write(whole[:cut])
        assert len(host.read(1, 0, 5)) == 5
    header["count"] = 4
    damaged = bytearray(whole)
    damaged[3] ^= 1
    host.port.write(bytes(damaged))
    assert host.reply(20_000) is None


def test_what_comes_while_it_is_busy_is_ignored(host):
    header = {"kind": Kind.READ, "region": 1, "row": 0, "count": 120, "sequence": 9}
    whole = request_bytes(Message(header))
    host.port.write(whole)
    while not host.port.read(1 / CLOCK):
        pass
    host.reader = Reader()
    host.port.write(whole[:-3] * 5)  # while its reply leaves
    while host.port.read(3000 / CLOCK):
        pass
    assert len(host.read(1, 0, 5)) == 5


def test_memories_are_read_between_steps(host):
    frame = given(1)[0][0]
    host.write(0, HELD, frame)
    host.write(0, 0, [1, NO_END])
    k = next(k for k, r in enumerate(host.gates.regions) if r.name == "p/spikes")
    for _ in range(20):
        host.position = host.ask(Kind.TAKE, row=1000, count=0)[1]
        host.take(0)
        assert host.read(FIRST_MEMORY + k, 0, 1)[0] < 1 << 6
    assert host.register("steps") > 20


@pytest.fixture(scope="module")
def hurried():
    """Steps of 0.1 ms at 1 Mbaud: a request of 120 words takes as long as many of them."""
    gates = Gates(small("p").fixed(), lanes=8, linked=True)
    top = LinkTop(gates, IDENTITY, Plan(CLOCK, 1_000_000, CLOCK // 10_000, 1, ()))
    return Host(gates, SimulatedBoard(top, clock_hz=CLOCK, baud=1_000_000))


def spikes_of_p(spikes):
    """The words that leave where only p's spikes do, and the frames of a run."""
    net = small("p")
    fixed = net.fixed()
    gates = Gates(fixed, lanes=8)
    ran = fixed.run(s=spikes, progress=False)
    bits = np.asarray(ran.spike["p"], dtype=np.int64)[:, gates.plan.places["p"].order]
    return frames_of(fixed, gates.plan, {"s": spikes}), (bits @ (1 << np.arange(6))).tolist()


def long_requests(host):
    """Requests of 120 words that change nothing, one after the other without end."""
    names = [r.name for r in host.gates.regions]
    weights, state = (FIRST_MEMORY + names.index(n) for n in ("weights", "q.V"))
    before = host.read(weights, 0, MOST_WORDS)
    identity = list(struct.unpack("<120H", IDENTITY.ljust(240, b"\0")))
    while True:
        host.write(weights, 0, before)
        yield
        assert host.read(weights, 0, MOST_WORDS) == before
        yield
        assert host.read(Region.IDENTITY, 0, MOST_WORDS) == identity
        yield
        assert len(host.read(state, 0, 36)) == 36
        yield


@pytest.mark.slow
def test_held_steps_are_in_time_whatever_is_read_and_written(hurried):
    host, steps = hurried, 1000
    host.begin()
    spikes = np.random.default_rng(1).random(20) < 0.4
    frames, expected = spikes_of_p(np.tile(spikes, (steps, 1)))
    host.write(0, HELD, frames[0])
    others = long_requests(host)
    next(others)
    host.write(0, 0, [3, steps])
    found: list[int] = []
    while len(found) < steps:
        found += host.take()
        next(others)
    assert found == expected
    assert any(expected)
    assert (host.register("steps"), host.register("late")) == (steps, 0)


@pytest.mark.slow
def test_fed_steps_are_in_time_whatever_is_read_and_fed(hurried):
    host, steps = hurried, 600
    host.begin()
    frames, expected = spikes_of_p(np.random.default_rng(2).random((steps, 20)) < 0.4)
    todo = frames.reshape(-1).tolist()
    todo = todo[host.feed(todo[:MOST_WORDS]) :]
    todo = todo[host.feed(todo[:MOST_WORDS]) :]
    host.set("control", 2)
    others = long_requests(host)
    found: list[int] = []
    while len(found) < steps:
        todo = todo[host.feed(todo[:MOST_WORDS]) :]
        next(others)
        found += host.take()
    assert found == expected
    assert (host.register("steps"), host.register("late")) == (steps, 0)


@pytest.mark.slow
def test_no_step_comes_between_settings(hurried):
    host, steps = hurried, 1000
    host.begin()
    host.write(0, 0, [3, steps])
    for _ in range(60):
        host.take()
        settings = host.read(0, 0, HELD + 3)
        assert settings[REGISTERS["left"].row] + settings[REGISTERS["steps"].row] == steps
        host.write(0, REGISTERS["left"].row, [steps // 2, 0, 0, steps // 2, 0])
    assert 0 < settings[REGISTERS["left"].row] < steps // 2
    host.set("control", 0)
