"""What rows of a network's memories stand for, there and back."""

import numpy as np
import pytest
from test_network_gates import Unit, loop

from scneuro import LIF, AdEx, ConductanceLIF, Input, Network, Neuron, ScneuroError, State
from scneuro.link.regions import MOST_ROWS, Memories, Region, regions
from scneuro.network import AvgPool2d, Conv2d, Dense, Flatten, Scale, Sparse, SumPool2d
from scneuro.network.plan import loads_of, plan


def rng(seed=0):
    return np.random.default_rng(seed)


def mixed():
    """Maps of all kinds: convolutions in loops and not, groups, pools, sparse ones, one to one."""
    r = rng()
    net = Network("mixed")
    net.input("image", (2, 7, 5), most=2)
    net.population("c", Unit(), (6, 4, 3))
    net.population("d", Unit(), 21)
    net.population("e", Unit(), (3, 7))
    kernel = r.normal(1, 2, (6, 1, 3, 3))
    net.connect("image", "c", Conv2d(kernel, stride=2, padding=1, groups=2))
    net.connect("c", "d", [Flatten(), Dense(r.normal(0, 1, (21, 72)))], bits=5)
    where = r.integers(21, size=60), r.integers(21, size=60)
    net.connect("d", "e", [Sparse((r.normal(0, 1, 60), where), shape=(21, 21))], bits=11)
    net.connect("d", "d", Scale(r.normal(0, 1, 21)), delay=1)
    net.connect("e", "d", Scale(0.75), delay=1)
    net.connect("c", "d", [SumPool2d(2), Flatten(), Dense(r.normal(0, 1, (21, 12)))])
    net.connect("image", "d", [AvgPool2d((2, 1)), Flatten(), Dense(r.normal(0, 1, (21, 30)))])
    net.connect("c", "c", Conv2d(r.normal(0, 1, (6, 6, 1, 1))), delay=2)
    return net


@pytest.mark.parametrize("lanes", [1, 4, 16])
def test_weights_are_those_of_their_maps(lanes):
    fixed = mixed().fixed()
    made = plan(fixed, lanes)
    memories = Memories(fixed, made)
    loads = loads_of(made)[:, 2:]  # as they are laid out for a start
    covered = np.zeros(len(loads), dtype=int)
    for k, p in enumerate(fixed.network.projections):
        own = fixed._synapses[p].weights
        at = memories.rows_of(k)
        covered[at] += 1
        assert np.array_equal(memories.weights(k, loads[at]), own), p
        assert np.array_equal(memories.of_weights(k, own), loads[at]), p
        other = rng(k).permuted(own.reshape(-1)).reshape(own.shape)
        if np.array_equal(own, other):
            continue
        rows = memories.of_weights(k, other // 2)
        assert rows.shape == (len(at), made.row_words)
        assert np.array_equal(memories.weights(k, rows), other // 2), p
        again = plan(fixed.with_weights({k: other // 2}), lanes)
        assert np.array_equal(loads_of(again)[at, 2:], rows), p
    assert np.all(covered == 1)


@pytest.mark.parametrize("lanes", [2, 8])
def test_states_and_spikes_are_of_neurons_in_their_own_order(lanes):
    fixed = mixed().fixed()
    made = plan(fixed, lanes)
    memories, population = Memories(fixed, made), fixed.populations["c"]
    order = made.places["c"].order
    assert np.any(order != np.arange(72))
    register = population.lowered.registers["v"]
    values = rng().integers(register.low, register.high + 1, 72)
    rows = memories.of_registers("c.v", values)
    assert np.array_equal(memories.registers("c.v", rows), values)
    words = (rows[:, 0] + (rows[:, 1] << 16)) & 0xFFFFFFFF
    assert np.array_equal(words, values[order] & 0xFFFFFFFF)  # a word of 32 bits, two's complement
    real = memories.values("c.v", rows)
    assert np.array_equal(real, register.to_real(values))
    assert np.array_equal(memories.of_values("c.v", real), rows)
    assert np.array_equal(memories.of_registers("c.v", 5), memories.of_registers("c.v", 72 * [5]))
    fired = rng(1).random(72) < 0.5
    bits = np.zeros(80, dtype=int)
    bits[:72] = fired[order]
    spikes = bits.reshape(5, 16) @ (1 << np.arange(16))
    assert np.array_equal(memories.spikes("c", spikes[:, None]), fired)


def test_memories_are_in_order():
    net = Network("all")
    net.input("x", 3)
    net.input("i", 18, kind="current")
    net.population("g", ConductanceLIF(), 18)
    net.population("a", AdEx(), 2, parameters={"a": [1.0, 2]})
    net.connect("x", "g", Dense(np.ones((18, 3))), to="I_exc", bits=6)
    net.connect("i", "g", Scale(1.0), to="I_inh")
    net.connect("g", "a", Dense(np.ones((2, 18))), bits=4)
    fixed = net.fixed()
    found = regions(fixed, plan(fixed, 4))
    assert found[0] == Region("weights", 3 * 5 + 18, 2, 24, False, True)
    assert [r.name for r in found[1:]] == [
        "g.V",
        "g.g_exc",
        "g.g_inh",
        "a.V",
        "a.w",
        "a.a",
        "g/spikes",
        "a/spikes",
    ]
    by_name = {r.name: r for r in found}
    assert by_name["g.g_exc"] == Region("g.g_exc", 18, 2, 23, False, True)
    assert by_name["a.w"] == Region("a.w", 2, 2, 26, True, True)
    assert by_name["g/spikes"] == Region("g/spikes", 2, 1, 16, False, False)
    memories = Memories(fixed, plan(fixed, 4))
    a = memories.of_values("a.a", [1.75, 1.0])
    assert memories.values("a.a", a).tolist() == [1.75, 1.0]
    with pytest.raises(ValueError, match=r"a\.a of neuron 1 = 2\.5 is outside the 1 to 2"):
        memories.of_values("a.a", [1.0, 2.5])


class Idle(Neuron):
    """A state that nothing reads, and an input that nothing does."""

    v = State()
    last = State()
    drive = Input()
    unused = Input()

    def update(self, v, last, drive, unused):
        v = v + 0.25 * drive
        return v >= 1.0, np.where(v >= 1.0, 0.0, v), v


def test_what_nothing_reads_or_needs_is_left_out():
    fixed = Network.of(Idle()).fixed()
    assert [r.name for r in regions(fixed, plan(fixed, 1))] == ["Idle.v", "Idle/spikes"]


def test_what_is_no_row_of_a_memory_is_refused():
    fixed = loop().fixed()
    memories = Memories(fixed, plan(fixed))
    with pytest.raises(ValueError, match=r"loop has no memory 'p\.w'; it has weights, p\.v, q\.v"):
        memories.registers("p.w", np.zeros((9, 1)))
    with pytest.raises(ValueError, match=r"q/spikes is no state"):
        memories.of_values("q/spikes", 1.0)
    with pytest.raises(TypeError, match=r"p\.v: registers must be integers"):
        memories.of_registers("p.v", np.ones(9))
    with pytest.raises(ValueError, match=r"p\.v has shape \(3,\), and there are 9 neurons"):
        memories.of_values("p.v", [0.5, 0.0, 0.25])
    with pytest.raises(ValueError, match=r"p\.v = 99 is outside the -?[0-9.]+ to [0-9.]+ it can"):
        memories.of_values("p.v", 99.0)
    with pytest.raises(ValueError, match=r"p\.v: the register holds"):
        memories.of_registers("p.v", 1 << 40)
    with pytest.raises(ValueError, match="projection 7 has no weights on a chip"):
        memories.rows_of(7)
    own = fixed._synapses[fixed.network.projections[0]].weights
    with pytest.raises(TypeError, match="a > p: weights on a chip must be integers"):
        memories.of_weights(0, own / 2)
    with pytest.raises(ValueError, match=r"a > p: weights have shape \(9, 20, 1\)"):
        memories.of_weights(0, own[..., None])
    with pytest.raises(ValueError, match="a > p: weights are -32 to 31, not 32 to 32"):
        memories.of_weights(0, np.full_like(own, 32))
    assert memories.of_weights(0, np.clip(own, -32, 31)).shape[0] == len(memories.rows_of(0))


def test_weights_of_which_a_sum_would_be_too_wide_are_refused():
    net = Network("wide")
    net.input("x", 600)
    net.population("p", LIF(), 2)
    weights = np.zeros((2, 600))
    weights[:, 0] = 100.0
    net.connect("x", "p", Dense(weights))
    fixed = net.fixed()
    memories = Memories(fixed, plan(fixed))
    with pytest.raises(ScneuroError, match="a sum may be beyond the bits that its hardware has"):
        memories.of_weights(0, np.full((2, 600), 127))
    some = np.zeros((2, 600), dtype=int)
    some[:, 5:105] = -1
    assert memories.of_weights(0, some).any()


def test_what_no_number_of_a_row_names_is_refused():
    net = Network("long")
    net.input("x", MOST_ROWS // 8)
    net.population("p", LIF(), 9)
    net.connect("x", "p", Dense(np.ones((9, MOST_ROWS // 8))))
    fixed = net.fixed()
    with pytest.raises(ScneuroError, match=r"long: weights has 73,728 rows, and a link reaches"):
        regions(fixed, plan(fixed, 1))
    assert regions(fixed, plan(fixed, 8))[0].rows == MOST_ROWS // 4
