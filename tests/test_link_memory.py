"""The memories of a network in gates, read and written between steps."""

import numpy as np
import pytest
from amaranth.sim import Simulator
from checks import few
from test_network_gates import loop, loop_spikes

from scneuro import LIF, AdEx, ConductanceLIF, Input, Network, Neuron, State
from scneuro.hdl.network import Network as Gates
from scneuro.link.regions import Memories
from scneuro.network import Dense, Scale
from scneuro.network.plan import frames_of, packed, unpacked


class Board:
    """A linked network in Amaranth's simulator, and who asks it."""

    def __init__(self, ctx, gates):
        self.ctx, self.gates = ctx, gates
        self.memories = Memories(gates.fixed, gates.plan)
        self.saturated, self.sent, self.done = 0, [], 0

    async def tick(self):
        gates = self.gates
        *_, saturated, valid, ready, word, done = await self.ctx.tick().sample(
            gates.saturated, gates.o.valid, gates.o.ready, gates.o.payload, gates.done
        )
        self.saturated += saturated
        self.done += done
        if valid and ready:
            self.sent.append(word)
        return done

    async def access(self, region, row, data=None):
        """Read or write a row, as its words."""
        ctx, port = self.ctx, self.gates.access
        words = self.gates.regions[region].words
        ctx.set(port.valid, 1)
        ctx.set(port.write, data is not None)
        ctx.set(port.region, region)
        ctx.set(port.row, row)
        if data is not None:
            ctx.set(port.data, sum(int(word) << (16 * k) for k, word in enumerate(data)))
        for _ in range(2000):
            result, ready = ctx.get(port.result), ctx.get(port.ready)
            await self.tick()
            if ready:
                break
        else:
            raise AssertionError("it is never ready")
        ctx.set(port.valid, 0)
        return [(result >> (16 * k)) & 0xFFFF for k in range(words)]

    async def read(self, name):
        region = self.memories.number(name)
        rows = [await self.access(region, row) for row in range(self.gates.regions[region].rows)]
        return np.array(rows)

    async def write(self, name, rows, first=0):
        region = self.memories.number(name)
        for row, words in enumerate(rows, first):
            await self.access(region, row, words)

    async def restart(self):
        self.ctx.set(self.gates.restart_now, 1)
        await self.tick()
        self.ctx.set(self.gates.restart_now, 0)

    async def run(self, given):
        """Steps of inputs (T, ...): what left, a dict of (T, N)."""
        ctx, gates = self.ctx, self.gates
        made = gates.plan
        frames = frames_of(gates.fixed, made, given)
        ctx.set(gates.o.ready, 1)
        ctx.set(gates.tick, 1)
        self.sent, self.done = [], 0
        for frame in frames.tolist():
            for word in frame:
                ctx.set(gates.i.valid, 1)
                ctx.set(gates.i.payload, word)
                while not ctx.get(gates.i.ready):
                    await self.tick()
                await self.tick()
            ctx.set(gates.i.valid, 0)
        while self.done < len(frames):
            await self.tick()
        ctx.set(gates.tick, 0)
        await self.tick()
        words = np.array(self.sent).reshape(len(frames), -1)
        found, at = {}, 0
        for name in made.outputs:
            cells, order = made.spikes[name], made.places[name].order
            spikes = unpacked(words[:, at : at + cells.words], len(order))
            found[name] = np.empty_like(spikes)
            found[name][:, order] = spikes
            at += cells.words
        return found


def on_board(gates, does):
    """Let ``does`` use a linked network."""
    simulator = Simulator(gates)
    simulator.add_clock(1e-6)
    found = []

    async def testbench(ctx):
        found.append(await does(Board(ctx, gates)))

    simulator.add_testbench(testbench)
    simulator.run()
    return found[0]


def rng(seed=0):
    return np.random.default_rng(seed)


def random_rows(region, seed):
    """Any rows, as they are read: a number is extended to whole words."""
    r = rng(seed)
    values = [int(r.integers(1 << 62)) << 62 | int(r.integers(1 << 62)) for _ in range(region.rows)]
    found = []
    for value in values:
        value %= 1 << region.bits
        if region.signed and value >> (region.bits - 1):
            value -= 1 << region.bits
        found.append([(value >> (16 * k)) & 0xFFFF for k in range(region.words)])
    return np.array(found)


def varied():
    """Several inputs, parameters, a register of two words and one without a sign."""
    net = Network("varied")
    net.input("i", 5, kind="current")
    net.input("s", 3)
    net.population("a", AdEx(dt=1.0), 5, parameters={"a": rng().uniform(1, 5, 5)})
    net.population("l", LIF(dt=1.0), 3)
    net.connect("i", "a", Scale(1.0))
    net.connect("s", "a", Dense(rng(1).normal(0, 90, (5, 3))))
    net.connect("a", "l", Dense(rng(2).normal(9, 9, (3, 5))), delay=2)
    net.output("l", "a")
    return net


def alike():
    """A network without weights."""
    net = Network("alike")
    net.input("i", 3, kind="current")
    net.population("l", LIF(dt=1.0), 3)
    net.connect("i", "l", Scale(1.0))
    return net


@pytest.mark.parametrize(
    ("net", "lanes", "loaded"),
    few(
        [
            (loop, 8, False),
            (loop, 1, True),
            (varied, 2, False),
            (alike, 1, False),
            (loop, 32, False),
        ],
        lambda case: case[0] is alike or case[1] == 8,
    ),
)
def test_every_row_of_every_memory_is_what_was_written(net, lanes, loaded):
    gates = Gates(net().fixed(), lanes, loaded=loaded, linked=True)

    async def does(board):
        written = {}
        for k, region in enumerate(gates.regions):
            if region.writable:
                written[region.name] = random_rows(region, k)
                await board.write(region.name, written[region.name])
        spikes = {r.name: await board.read(r.name) for r in gates.regions if not r.writable}
        await board.write(next(iter(spikes)), [[0xFFFF]])  # which does nothing
        for k, name in enumerate(spikes):
            assert not (await board.read(name)).any(), (k, name)
        return written, {name: await board.read(name) for name in written}

    written, found = on_board(gates, does)
    for name, rows in written.items():
        assert np.array_equal(found[name], rows), name
    assert len(written) == len(gates.regions) - len(gates.cores)


def set_to(fixed, registers):
    """Let the integers start with other registers, by ``POPULATION.STATE``."""
    for where, values in registers.items():
        name, state = where.rsplit(".", 1)
        population = fixed.populations[name]
        population.__dict__["initial"] = {**population.initial, state: values}
    return fixed


def changed(fixed, seed=3):
    """Other weights by projection, other registers by name: what hardware may be given."""
    r = rng(seed)
    weights, registers = {}, {}
    for k, p in enumerate(fixed.network.projections):
        if p in fixed._synapses:
            weights[k] = r.permuted(fixed._synapses[p].weights, axis=0)
    for name, population in fixed.populations.items():
        for n, values in population.initial.items():
            register = population.lowered.registers[n]
            low, high = register.low, min(register.high, register.init + (1 << register.guard + 10))
            low = max(low, register.init - (1 << register.guard + 10))
            registers[f"{name}.{n}"] = r.integers(low, high + 1, len(values))
    return weights, registers


CASES = [
    pytest.param(loop, 2, False, marks=pytest.mark.slow),
    pytest.param(loop, 8, True, marks=pytest.mark.slow),
    pytest.param(varied, 2, False, marks=pytest.mark.slow),
]


def stimulus(net, steps=14, seed=1):
    r = rng(seed)
    if net is loop:
        return loop_spikes(steps, seed)
    return {"i": r.uniform(300, 900, (steps, 5)), "s": (r.random((steps, 3)) < 0.3).astype(float)}


@pytest.mark.parametrize(("net", "lanes", "loaded"), CASES)
def test_what_was_written_runs_as_the_integers_with_it_do(net, lanes, loaded):
    fixed = net().fixed()
    gates = Gates(fixed, lanes, loaded=loaded, linked=True)
    weights, registers = changed(fixed)
    given = stimulus(net)
    first, last = ({n: x[at] for n, x in given.items()} for at in (slice(6), slice(6, None)))

    memories = Memories(fixed, gates.plan)

    async def load(board, weights):
        for k, values in weights.items():
            await board.write("weights", memories.of_weights(k, values), memories.rows_of(k)[0])

    async def does(board):
        own = {k: fixed._synapses[fixed.network.projections[k]].weights for k in weights}
        await load(board, own if loaded else {})
        before = await board.run(given)
        await load(board, weights)
        await board.restart()
        for name, integers in registers.items():
            await board.write(name, memories.of_registers(name, integers))
        board.saturated = 0
        half = await board.run(first)
        middle = {region.name: await board.read(region.name) for region in gates.regions}
        rest = await board.run(last)
        return before, {n: np.vstack([half[n], rest[n]]) for n in half}, middle, board.saturated

    before, after, middle, saturated = on_board(gates, does)
    expected = net().fixed().run(**given, progress=False)
    other = set_to(net().fixed().with_weights(weights), registers)
    ran = other.run(**given, progress=False)
    for name in before:
        assert np.array_equal(before[name], expected.spike[name]), name
        assert np.array_equal(after[name], ran.spike[name]), name
        assert before[name].any(), name
    assert any(np.any(before[name] != after[name]) for name in before)
    assert saturated == sum(other.limited.values())
    for name, population in fixed.populations.items():
        assert np.array_equal(memories.spikes(name, middle[f"{name}/spikes"]), ran.spike[name][5])
        for state in population.state_names:
            r, where = population.lowered.registers[state], f"{name}.{state}"
            words = r.to_word(memories.registers(where, middle[where])) * r.word.lsb
            assert np.array_equal(words, ran.states[name][state][5]), where


def test_a_restart_between_steps_is_a_start():
    fixed = loop().fixed()
    given = loop_spikes(9, 4)

    async def does(board):
        await board.run(loop_spikes(7))
        await board.restart()
        states = [await board.read("q.v"), await board.read("p.v")]
        return states, await board.run(given)

    states, found = on_board(Gates(fixed, 4, linked=True), does)
    assert not any(rows.any() for rows in states)
    expected = loop().fixed().run(**given, progress=False)
    assert all(np.array_equal(found[n], expected.spike[n]) for n in found)


def test_a_restart_in_a_step_comes_behind_it():
    """And before what is read then, though a step waits to begin."""
    fixed = loop().fixed()
    given = loop_spikes(3, 4)

    async def does(board):
        ctx, gates = board.ctx, board.gates
        frames = frames_of(fixed, gates.plan, given)
        ctx.set(gates.o.ready, 1)
        ctx.set(gates.tick, 1)
        restarted = False
        for word in frames.reshape(-1).tolist():
            ctx.set(gates.i.valid, 1)
            ctx.set(gates.i.payload, word)
            while not ctx.get(gates.i.ready):
                await board.tick()
            if ctx.get(gates.busy) and not restarted:
                restarted = True
                await board.restart()
                continue
            await board.tick()
        ctx.set(gates.i.valid, 0)
        assert ctx.get(gates.busy)
        while len(board.sent) < 3 * gates.plan.output_words:
            await board.tick()
        return restarted, board.sent

    restarted, words = on_board(Gates(fixed, 8, linked=True), does)
    assert restarted
    first = loop().fixed().run(**{n: x[:1] for n, x in given.items()}, progress=False)
    rest = loop().fixed().run(**{n: x[1:] for n, x in given.items()}, progress=False)
    spikes = [np.vstack([first.spike[n], rest.spike[n]]) for n in "qp"]
    expected = np.hstack([packed(spikes[0]), packed(spikes[1])])
    assert words == expected.reshape(-1).tolist()


class Narrow(Neuron):
    """What it is given counts only up to a limit of its own."""

    v = State(word="Q4.12")
    drive = Input(word="Q6.10", range=(-2.0, 2.5))

    def update(self, v, drive):
        v = v + 0.25 * (drive - v)
        return v >= 1.0, np.where(v >= 1.0, 0.0, v)


def limited():
    """Sums beyond a word, and beyond the limits of an input, of two inputs of one kind."""
    net = Network("limited")
    net.input("x", 30)
    net.input("i", 4, kind="current")
    net.population("n", Narrow(dt=1.0), 4)
    net.population("g", ConductanceLIF(dt=1.0), 3)
    net.connect("x", "n", Dense(rng().normal(0, 2, (4, 30))))
    net.connect("i", "n", Scale(1.0))
    net.connect("x", "g", Dense(rng(1).uniform(0, 90, (3, 30))), to="I_exc")
    net.connect("x", "g", Dense(rng(2).uniform(0, 90, (3, 30))), to="I_inh")
    return net


def test_sums_that_are_limited_are_counted_as_the_integers_count():
    fixed = limited().fixed()
    r = rng(5)
    given = {"x": (r.random((8, 30)) < 0.5).astype(float), "i": r.normal(0, 20, (8, 4))}

    async def does(board):
        await board.run(given)
        return board.saturated

    counted = on_board(Gates(fixed, 8, linked=True), does)
    found = fixed.run(**given, progress=False)
    assert {n for n, times in fixed.limited.items() if times} == {"n.drive", "g.I_exc", "g.I_inh"}
    assert counted == sum(fixed.limited.values())
    assert sum(found.saturated.values()) > counted  # numbers that come in are limited before
