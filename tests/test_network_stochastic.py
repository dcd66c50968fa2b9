"""Stochastic projections between the nodes of a network, in float, integers and gates."""

import copy
import pickle

import numpy as np
import pytest
from checks import faults
from claims import broken
from faults.text import rewritten
from hypothesis import given, settings
from hypothesis import strategies as st
from test_network_gates import Unit

from scneuro import LIF, Input, Network, Neuron, Population, State, Stochastic, cli
from scneuro.boards import BOARDS, connect
from scneuro.errors import LoweringError, ScneuroError
from scneuro.hdl.network import Network as Gates
from scneuro.hdl.network import network as gates_module
from scneuro.hdl.network.draws import Draws
from scneuro.hdl.network.synapses import Synapses
from scneuro.network import Dense, Flatten
from scneuro.network.nir import write_nir
from scneuro.network.nir.neurons import NIRIF
from scneuro.network.plan import plan
from scneuro.sim import SimulatedPort, network_parity, simulated_board
from scneuro.sim.proof.invariants import check
from scneuro.sim.proof.invariants import network as claims

slow, compiler = pytest.mark.slow, pytest.mark.compiler


def weights(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def alone(stochastic, neuron=None, **options):
    net = Network("alone")
    net.input("x", stochastic.n_inputs)
    net.population("out", neuron or LIF(), stochastic.n_neurons)
    net.connect("x", "out", stochastic, **options)
    return net


def mixed(kind="lfsr", seed=0):
    """Delays, a loop, counts of more than one, two inputs of a neuron, and other maps besides."""
    r = np.random.default_rng(seed)
    net = Network("mixed")
    net.input("x", (2, 9))
    net.input("y", 3, most=3)
    net.population("h", Unit(), 5)
    net.population("out", Unit(), 3)
    net.connect("x", "h", Stochastic(r.random((5, 18)), 64, gain=12.0, source=kind))
    net.connect("y", "h", Stochastic(r.random((5, 3)), 32, gain=-0.5, seed=3))
    net.connect("h", "h", Dense(r.normal(0, 0.2, (5, 5))), delay=1)
    net.connect("h", "h", Stochastic(r.random((5, 5)), 64, gain=0.7, source=kind), delay=3)
    net.connect("h", "out", Stochastic(r.random((3, 5)), 256, gain=25.0), delay=2)
    net.connect("y", "out", Dense(r.normal(0.1, 0.2, (3, 3))))
    net.output("h", "out")
    return net


def stimulus(steps=40, runs=2, seed=1):
    r = np.random.default_rng(seed)
    return {
        "x": r.random((steps, runs, 2, 9)) < 0.5,
        "y": r.integers(0, 4, (steps, runs, 3)),
    }


# -- in software ----------------------------------------------------------------------------------
@given(
    inputs=st.integers(1, 12),
    neurons=st.integers(1, 5),
    kind=st.sampled_from(["lfsr", "low_discrepancy"]),
    bits=st.sampled_from([None, 4, 9, 16]),
    seed=st.integers(0, 99),
    gain=st.sampled_from([-30.0, 0.37, 100.0]),
)
@settings(max_examples=30, deadline=None)
def test_a_spike_counts_where_its_source_draws_below_the_weight(
    inputs, neurons, kind, bits, seed, gain
):
    """Bit for bit: the words that neurons are given are those of ``Stochastic.currents``."""
    stochastic = Stochastic(
        weights(neurons, inputs, seed=seed), 64, source=kind, bits=bits, seed=seed, gain=gain
    )
    net, spikes = alone(stochastic), weights(50, inputs, seed=seed + 1) < 0.4
    draws = np.stack([source.draws(0, 50) for source in stochastic.sources], axis=1)
    counts = np.einsum("ti,tni->tn", spikes.astype(int), draws[:, None] < stochastic.words)
    assert counts.any()
    found, floats = net.fixed().run(x=spikes), net.run(x=spikes)
    assert np.array_equal(found["out/I"] * 256, stochastic.currents(counts))
    assert np.allclose(floats["out/I"], counts * gain / inputs, rtol=0, atol=1e-12)
    words = stochastic.currents(counts) / 256
    assert np.array_equal(found.spikes["out"], Population(LIF(), neurons).fixed().run(words).spikes)


def test_every_step_is_drawn_for_and_a_long_run_goes_through_the_period():
    stochastic = Stochastic([[0.3, 0.8]], 16, gain=2.0)
    run = alone(stochastic).run(x=np.ones((150, 2)))  # ten periods of 15
    counts = run["out/I"][:, 0]
    assert np.array_equal(counts[:15], counts[15:30])
    assert len(set(counts[:15])) > 1
    words = stochastic.words[0] / stochastic.levels
    assert counts.mean() == pytest.approx(words.sum())


@pytest.mark.parametrize(
    ("kind", "most"), [("lfsr", 0.1), ("low_discrepancy", 0.02)], ids=["lfsr", "low_discrepancy"]
)
def test_what_is_drawn_is_even_in_a_short_while(kind, most):
    """The mean of 64 steps is near the weight, wherever they begin."""
    words = np.array([[0.2, 0.5, 0.7]]).T
    run = alone(Stochastic(words, 256, source=kind, gain=1.0)).run(x=np.ones((256, 1)))["out/I"]
    means = np.lib.stride_tricks.sliding_window_view(run, 64, axis=0).mean(axis=-1)
    assert np.sqrt(np.mean((means - words.T) ** 2)) < most


def test_sources_of_a_prime_period_draw_evenly_for_spikes_that_are_regular():
    """As docs/stochastic.md has it: 255 has divisors, 8,191 has none."""
    words = np.array([[0.2, 0.5, 0.8]]).T
    every = np.zeros((51 * 300, 1))
    every[::51] = 1
    for bits, near in ((8, False), (13, True)):
        run = alone(Stochastic(words, bits=bits, gain=1.0)).run(x=every)["out/I"]
        found = run[::51].mean(axis=0)
        assert bool(np.all(np.abs(found - words[:, 0]) < 0.05)) == near


def test_what_is_late_is_drawn_for_when_it_arrives():
    stochastic = Stochastic([[0.5]], 64, gain=1.0)
    spikes = np.ones((40, 1))
    now = alone(stochastic).run(x=spikes)["out/I"][:, 0]
    late = alone(stochastic, delay=3).run(x=spikes)["out/I"][:, 0]
    assert not late[:3].any()
    assert np.array_equal(late[3:], now[3:])


def test_two_runs_agree_and_runs_side_by_side_do():
    net, given_ = mixed(), stimulus()
    first, again = net.fixed(), net.fixed()
    together = first.run(**given_)
    for k in range(2):
        single = again.run(**{n: a[:, k] for n, a in given_.items()})
        assert np.array_equal(single.spikes["out"], together.spikes["out"][k])
        assert np.array_equal(single["h/drive"], together["h/drive"][:, k])
    assert together.spikes["out"].sum() > 20


class Excited(Neuron):
    """Its input has a coarse word, which holds more than Q8.8."""

    V = State()
    I = Input(word="Q12.4")

    def update(self, V, I):
        return V >= 100, np.where(V >= 100, 0.0, 0.5 * V + 0.125 * I)


def test_the_word_of_the_input_decides_how_much_may_arrive():
    stochastic = Stochastic(np.full((1, 4), 0.9), 64, gain=1200.0)
    with pytest.raises(ValueError, match=r"gain = 1200 does not fit Q8\.8"):
        stochastic.currents(np.zeros((1, 1), int))
    net = alone(stochastic, Excited())
    spikes = np.ones((60, 4))
    assert np.array_equal(net.fixed().run(x=spikes)["out/I"], net.run(x=spikes)["out/I"])
    assert net.run(x=spikes)["out/I"].max() == 1200


def test_a_network_with_it_can_be_kept_and_copied():
    net, given_ = mixed(), stimulus()
    wanted = net.fixed().run(**given_)["out/drive"]
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert np.array_equal(other.fixed().run(**given_)["out/drive"], wanted)


def test_the_digest_is_of_its_sources_and_gain():
    base = {"length": 64, "gain": 5.0}
    digests = [
        alone(Stochastic([[0.25, 0.75]], **(base | other))).fixed().digest
        for other in ({}, {}, {"gain": 6.0}, {"seed": 1}, {"sources": 1}, {"length": 128})
    ]
    assert digests[0] == digests[1]
    assert len({*digests}) == 5


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: alone(Stochastic([[1]], bipolar=True)),
            "a projection of its own, with a negative",
        ),
        (lambda: alone(Stochastic([[1]], per_step=2)), "per_step must be 1, not 2"),
        (lambda: alone(Stochastic([[1]]), bits=6), "bits and point are those of its sources"),
        (lambda: alone(Stochastic([[1]]), point=3), "bits and point are those of its sources"),
    ],
)
def test_what_cannot_be_one_is_refused(make, said):
    with pytest.raises(ValueError, match=said) as refused:
        make()
    assert "x > out" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_shapes_currents_and_chains_are_refused():
    net = Network("n")
    net.input("x", 3)
    net.input("c", 2, kind="current")
    net.population("out", LIF(), 2)
    with pytest.raises(ValueError, match=r"x > out: Stochastic takes 2 inputs, not 3"):
        net.connect("x", "out", Stochastic([[1, 1]]))
    with pytest.raises(ValueError, match=r"c > out: Stochastic takes spikes"):
        net.connect("c", "out", Stochastic([[1, 1], [0, 0]]))
    with pytest.raises(TypeError, match=r"x > out: Stochastic stands alone"):
        net.connect("x", "out", [Flatten(), Stochastic(np.ones((2, 3)))])


def test_a_gain_that_no_sum_holds_is_refused_with_what_may_be_changed():
    with pytest.raises(LoweringError, match="a sum would take") as refused:
        alone(Stochastic([[1]], gain=1e12)).fixed()
    assert "smaller weights or gains" in refused.value.hint
    with pytest.raises(ValueError, match=r"gain must be one number, not 2 of shape \(2,\)"):
        Stochastic([[1]], gain=[1, 2])
    with pytest.raises(ValueError, match="source must be one of lfsr"):
        Stochastic([[1]], source="mode")


def test_a_gain_of_0_adds_nothing_however_many_spikes_there_are():
    net = alone(Stochastic(np.ones((1, 200)), gain=0.0))
    assert not net.fixed().run(x=np.ones((5, 200)))["out/I"].any()


def test_too_small_a_gain_is_refused_with_the_projection():
    with pytest.raises(LoweringError, match=r"x > out: a product adds 1e-08") as refused:
        alone(Stochastic([[1]], gain=1e-8)).fixed()
    assert "greater gain" in refused.value.hint


def test_a_file_of_nir_cannot_hold_it(tmp_path):
    pytest.importorskip("nir")
    with pytest.raises(ScneuroError, match="Stochastic"):
        write_nir(alone(Stochastic([[1]]), NIRIF()), tmp_path / "net.nir")


# -- in gates -------------------------------------------------------------------------------------
def test_inputs_and_loops_share_registers_that_are_alike():
    laid = plan(mixed().fixed())
    counts = [len({*p.sources}) for p in laid.draws]
    assert laid.registers.max() + 1 == sum(counts) > 8
    assert len(laid.registers) == 18 + 3 + 5 + 5
    net = alone(Stochastic(weights(2, 3), 64))
    net.connect("x", "out", Stochastic(weights(2, 3, seed=5), 64), delay=1)
    assert len(plan(net.fixed()).draws) == 1


@pytest.mark.parametrize("kind", ["lfsr", pytest.param("low_discrepancy", marks=slow)])
@pytest.mark.parametrize("lanes", [2, pytest.param(1, marks=slow), pytest.param(8, marks=slow)])
def test_gates_are_the_integers(kind, lanes):
    """Every spike, state and sum of two runs, of which each begins anew."""
    report = network_parity(
        mixed(kind), stimulus(12), engine="amaranth", lanes=lanes, progress=False
    )
    assert report.bit_exact, str(report)
    assert min(f.spikes[1] for f in report.layers.values()) > 5


@slow
@compiler
@pytest.mark.parametrize("seed", range(3))
def test_gates_are_the_integers_for_long(seed):
    kind = ("lfsr", "low_discrepancy")[seed % 2]
    report = network_parity(
        mixed(kind, seed), stimulus(600, 3, seed), progress=False, loaded=seed == 2
    )
    assert report.ok, str(report)


def of_sums(block=Synapses):
    laid = claims.few_sums(1, 6, 5, 1, False, True, True)
    return check(claims.synapses(block(laid, (0,)), laid))


def of_events(block=Gates):
    return check(claims.events(block(claims.small_network().fixed(), 2)))


@slow
def test_it_is_proved_of_a_sum_that_what_is_drawn_is_added_once():
    results = of_sums()
    assert all(r.ok for r in results), "\n".join(map(str, results))
    assert any("what was drawn of it" in r.statement for r in results)


ADDED = [
    # a weight that is equal to what is drawn does not count
    (
        "Cat(Const(1, 1), word.as_unsigned()) > later",
        "Cat(Const(0, 1), word.as_unsigned()) > later",
    ),
    # the next spike's draw
    ("> later for word", "> draw for word"),
    # the amount of another projection
    ("Array(plan.amounts)[self.amount]", "Array(plan.amounts)[0]"),
]


@pytest.mark.parametrize(("old", "new"), faults(ADDED, lambda _: False))
def test_a_fault_of_what_is_added_breaks_its_claim(old, new):
    assert "adds" in broken(of_sums(rewritten(Synapses, old, new)))


DRAWN = [
    # a source for another
    (Draws, "self.first + self.index", "self.first"),
    (Draws, "Array(self.drawn)[read.data]", "self.drawn[0]"),
    # sources go on when a step begins
    (Gates, "draws.step.eq(self.done)", "draws.step.eq(self._begin)"),
    # they do not begin again
    (Gates, "draws.restart.eq(self._begins_anew)", "draws.restart.eq(0)"),
]


#: Of these, parity sees a source that goes on when a step begins only if it does so in its midst.
SEEN = [
    *((Synapses, *fault) for fault in ADDED),
    *DRAWN[:2],
    (Gates, "draws.step.eq(self.done)", "draws.step.eq(self._core_done)"),
    DRAWN[-1],
]


@pytest.mark.parametrize(("block", "old", "new"), faults(DRAWN, lambda f: f == DRAWN[0]))
def test_a_fault_of_what_is_drawn_breaks_its_claim(monkeypatch, block, old, new):
    made = rewritten(block, old, new)
    if block is Draws:
        monkeypatch.setattr(gates_module, "Draws", made)
    results = of_events() if block is Draws else of_events(made)
    assert broken(results) >= {"drawn"}


@pytest.mark.parametrize(("block", "old", "new"), faults(SEEN, lambda _: False))
def test_parity_sees_a_fault_of_what_is_drawn(monkeypatch, block, old, new):
    made = rewritten(block, old, new)
    if block is not Gates:
        monkeypatch.setattr(gates_module, block.__name__, made)
    else:
        monkeypatch.setattr("scneuro.sim.compare.many.network.Gates", made)
    report = network_parity(mixed(), stimulus(12), engine="amaranth", lanes=1, progress=False)
    assert not report.bit_exact


@slow
@compiler
def test_a_board_has_its_words_as_weights_and_runs_with_others():
    net = alone(Stochastic(weights(3, 6), 64, gain=90.0), LIF(tau_m=1.0))
    fixed, spikes = net.fixed(), weights(80, 6, seed=3) < 0.6
    made = simulated_board(net, BOARDS["icebreaker"], baud=3_000_000, flat_out=True)
    with connect(SimulatedPort(made), net) as chip:
        assert np.array_equal(chip.weights["x > out"], net.projections[0].map.weights)
        for words in (None, np.array([[63, 0, 1, 40, 7, 62]] * 3)):
            if words is not None:
                chip.weights["x > out"] = words / 63
                fixed = fixed.with_weights({0: words})
            found, wanted = chip.run(x=spikes), fixed.run(x=spikes)
            assert wanted.spikes["out"].sum() > 20
            assert np.array_equal(found.spikes["out"], wanted.spikes["out"])
            assert np.array_equal(found["out/I"], wanted["out/I"])
        assert np.array_equal(chip.weights["x > out"] * 63, words)
        for wrong, said in ((1.2, "the chip's are 0 to 1"), (-0.1, "is -0.1")):
            with pytest.raises(ValueError, match=said):
                chip.weights["x > out"] = np.full((3, 6), wrong)
        with pytest.raises(ValueError, match=r"or weights are drawn for: reset, or leave it out"):
            chip.run(x=spikes, reset=False)
        assert chip.run(x=spikes, reset=False, record=()).steps == 80


# -- on the command line --------------------------------------------------------------------------
NETWORK = """
import numpy as np
from scneuro import LIF, Network, Stochastic

net = Network("drawn")
net.input("x", 4)
net.population("out", LIF(), 2)
net.connect("x", "out", Stochastic(np.full((2, 4), 0.5), 64, gain=80.0))
"""


def test_the_command_line_shows_and_compares_it(tmp_path, capsys):
    path = tmp_path / "net.py"
    path.write_text(NETWORK)
    assert cli.main(["show", f"{path}:net"]) == 0
    assert "8 weights of 6 bits: up to 0.5079, each drawn for a spike and then 20" in (
        capsys.readouterr().out
    )
    assert cli.main(["show", f"{path}:net", "--json"]) == 0
    assert '"adds": 20.0' in capsys.readouterr().out
    given_ = ["--steps", "15", "--engine", "amaranth"]
    assert cli.main(["parity", f"{path}:net", *given_]) == 0
    assert "gates = integer model" in capsys.readouterr().out
