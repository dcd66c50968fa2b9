"""Networks in gates: every register, spike and sum that of the integers."""

import json

import numpy as np
import pytest
from checks import few, nightly

from scneuro import LIF, ConductanceLIF, Input, Network, Neuron, NoisyLIF, ScneuroError, State
from scneuro.boards import board, build_bitstream
from scneuro.boards.devices import DEVICES
from scneuro.boards.network import network_hardware, network_memories
from scneuro.cli import main
from scneuro.errors import DoesNotFit, LoweringError
from scneuro.hdl.link.top import link_plan
from scneuro.hdl.network import Network as Gates
from scneuro.network import AvgPool2d, Conv1d, Conv2d, Dense, Flatten, Scale, SumPool2d
from scneuro.network.plan import loads_of, plan
from scneuro.sim import network_parity, run_network
from scneuro.sim.chip.netlist import netlist_library


class Unit(Neuron):
    """A leaky integrate-and-fire neuron without units."""

    alpha: float = 0.1
    dt: float = 1.0
    v = State(word="Q4.12")
    drive = Input(word="Q6.10")

    def update(self, v, drive):
        v = v + self.alpha * (drive - v)
        return v >= 1.0, np.where(v >= 1.0, 0.0, v)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def loop(seed: int = 0) -> Network:
    """Counts, delays of inputs and of populations, biases, a loop, two sources of one input."""
    r = rng(seed)
    net = Network("loop")
    net.input("a", 20, most=3)
    net.input("b", 5)
    net.population("p", Unit(), 9)
    net.population("q", Unit(alpha=0.25), 21)
    net.connect("a", "p", Dense(r.normal(0.5, 1, (9, 20))), bits=6)
    net.connect("b", "p", Dense(r.normal(1, 2, (9, 5))), delay=3)
    net.connect("p", "q", Dense(r.normal(1, 2, (21, 9)), bias=r.normal(0, 1, 21)), delay=2)
    net.connect("q", "p", Dense(r.normal(-0.2, 0.3, (9, 21))), delay=1, point=3)
    net.connect("q", "q", Dense(r.normal(0, 0.5, (21, 21))), delay=1)
    net.output("q", "p")
    return net


def loop_spikes(steps: int, seed: int = 1) -> dict[str, np.ndarray]:
    r = rng(seed)
    return {"a": r.binomial(3, 0.1, (steps, 20)), "b": r.random((steps, 5)) < 0.2}


def chain(lanes: int = 8) -> Network:
    net = Network("chain")
    net.input("x", 12)
    net.population("h", Unit(), 10)
    net.population("o", Unit(), 3)
    net.connect("x", "h", Dense(rng().normal(0.5, 2, (10, 12))))
    net.connect("h", "o", Dense(rng(1).normal(1, 2, (3, 10))))
    return net


@pytest.mark.parametrize(
    ("lanes", "stall"), few([(8, 0), (2, 3), (32, 7)], lambda case: case == (8, 0))
)
def test_gates_are_the_integers_with_loops_delays_and_counts(lanes, stall):
    found = network_parity(
        loop(), loop_spikes(25), lanes=lanes, stall=stall, engine="amaranth", progress=False
    )
    assert found.bit_exact, str(found)
    assert found.within_bound
    assert found.compared == 25 * (30 * 3 + 30)  # state, spike and sum of each; what leaves
    assert all(layer.spikes[1] > 10 for layer in found.layers.values())
    assert found.clocks <= 25 * found.worst_clocks


def test_a_step_never_takes_longer_than_it_may():
    """All sources fire in every step."""
    net = chain()
    spikes = {"x": np.ones((12, 12))}
    found = network_parity(net, spikes, engine="amaranth", progress=False)
    assert found.bit_exact
    assert 0.5 * found.worst_clocks < found.clocks / 12 <= found.worst_clocks


def test_currents_reach_their_neurons():
    net = Network("currents")
    net.input("i", 6, kind="current")
    net.input("s", 4)
    net.population("p", Unit(), 6)
    net.population("r", Unit(), 3)
    net.connect("i", "p", Scale(2.0))
    net.connect("s", "p", Dense(rng().normal(1, 2, (6, 4))))
    net.connect("i", "r", Dense(rng(2).normal(0, 1, (3, 6))))  # projected before the chip
    net.connect("p", "r", Dense(rng(1).normal(1, 2, (3, 6))))
    given = {"i": rng(3).normal(0.5, 1, (25, 6)), "s": rng(4).random((25, 4)) < 0.2}
    found = network_parity(net, given, lanes=4, engine="amaranth", progress=False)
    assert found.bit_exact, str(found)
    assert found.layers["p"].spikes[1] > 5


@pytest.mark.parametrize(
    ("lanes", "shape", "channels", "options", "pool"),
    few(
        [
            (8, (2, 5, 6), 3, {"padding": 1}, ()),
            (4, (2, 7, 5), 6, {"stride": (2, 1), "padding": (1, 2)}, ()),  # channels no whole rows
            (2, (4, 6, 6), 4, {"groups": 2, "padding": 1}, ()),
            (4, (6, 4, 4), 6, {"groups": 6}, ()),  # each channel by itself, some in the same row
            (4, (1, 8, 9), 5, {"dilation": (2, 3), "stride": 2, "padding": 2}, ()),
            (8, (2, 8, 7), 8, {"padding": "same"}, (SumPool2d(2),)),  # a column is left out
            (8, (1, 12, 8), 2, {}, (SumPool2d((3, 1)), AvgPool2d((1, 2)))),
        ],
        lambda case: case[2] in (2, 3),
    ),
)
def test_convolutions_compute_their_addresses(lanes, shape, channels, options, pool):
    r = rng(channels)
    kernel = r.normal(1, 2, (channels, shape[0] // options.get("groups", 1), 3, 3))
    maps = [*pool, Conv2d(kernel, r.normal(0, 0.3, channels), **options)]
    net = Network("conv")
    net.input("image", shape, most=2)
    made = shape
    for each in maps:
        made = each.shape_out(made)
    net.population("c", Unit(), made)
    net.population("d", Unit(), 4)
    net.connect("image", "c", maps)
    net.connect("c", "d", [Flatten(), Dense(r.normal(0.5, 1, (4, int(np.prod(made)))))])
    net.output("c", "d")
    given = {"image": r.binomial(2, 0.15, (6, *shape))}
    laid = plan(net.fixed(), lanes)
    (deliver, *_) = dict(laid.order)["c"]
    assert deliver.loop is not None
    assert len(laid.sources) == int(np.prod(shape))
    rows = deliver.loop.rows
    assert len(laid.weights) == rows * shape[0] * 9 + int(np.prod(made)) * -(-4 // lanes)
    found = network_parity(net, given, lanes=lanes, stall=1, engine="amaranth", progress=False)
    assert found.bit_exact, str(found)
    assert found.layers["c"].spikes[1] > 8
    assert found.clocks <= 6 * found.worst_clocks


def test_neurons_that_start_differently_do_so_whenever_they_begin_anew():
    """In the order of a convolution, too, in which a channel's neurons do not lie together."""
    r = rng(5)
    net = Network("apart")
    net.input("sound", (1, 9))
    net.population("a", Unit(), (3, 9), init={"v": r.uniform(0, 1, (3, 9))})
    net.population("b", Unit(), 5, init={"v": [0.9, 0, 0.5, 0, 0.75]})
    net.connect("sound", "a", Conv1d(r.normal(3, 2, (3, 1, 3)), padding=1))
    net.connect("a", "b", [Flatten(), Dense(r.normal(0.3, 1, (5, 27)))])
    assert plan(net.fixed(), 4).places["a"].moved
    given = {"sound": r.random((5, 3, 1, 9)) < 0.5}  # three runs
    found = network_parity(net, given, lanes=4, engine="amaranth", progress=False)
    assert found.bit_exact, str(found)
    assert found.layers["a"].spikes[1] > 5


@pytest.mark.slow
def test_convolutions_of_convolutions_and_of_lengths():
    r = rng()
    net = Network("deep")
    net.input("sound", (3, 14))
    net.population("a", Unit(), (6, 7))
    net.population("b", Unit(), (4, 7), parameters={"alpha": r.uniform(0.1, 0.4, (4, 7))})
    net.connect("sound", "a", Conv1d(r.normal(1, 2, (6, 3, 4)), stride=2, padding=1))
    net.connect("a", "b", Conv1d(r.normal(1, 2, (4, 6, 3)), padding=1), delay=1)
    net.connect("b", "a", Conv1d(r.normal(-1, 1, (6, 4, 1))), delay=2)
    assert plan(net.fixed(), 4).places["b"].moved
    given = {"sound": r.random((15, 3, 14)) < 0.2}
    found = network_parity(net, given, lanes=4, engine="amaranth", progress=False)
    assert found.bit_exact, str(found)
    assert all(layer.spikes[1] > 20 for layer in found.layers.values())


def test_neurons_with_two_inputs_and_with_noise():
    net = Network("two")
    net.input("e", 8)
    net.population("n", ConductanceLIF(), 4)
    net.population("m", NoisyLIF(), 3)
    net.connect("e", "n", Dense(10 * rng().random((4, 8))), to="I_exc")
    net.connect("e", "n", Dense(rng(1).random((4, 8))), to="I_inh")
    net.connect("n", "m", Dense(100 * rng(2).random((3, 4))))
    given = {"e": rng(3).random((30, 8)) < 0.5}
    found = network_parity(net, given, engine="amaranth", progress=False)
    assert found.bit_exact, str(found)
    assert found.layers["n"].spikes[1] > 3


def test_runs_begin_anew_one_after_the_other():
    """Of three runs, the gates do one after the other; delays reach no further back than a run."""
    together = {n: np.stack([loop_spikes(8, k)[n] for k in range(3)], axis=1) for n in "ab"}
    found = network_parity(loop(), together, engine="amaranth", progress=False)
    assert found.bit_exact, str(found)
    alone = loop().fixed().run(**loop_spikes(8, 2), progress=False)
    assert np.array_equal(found.fixed_run.spike["q"][16:], alone.spike["q"])
    assert alone.spike["q"].any()


def test_weights_that_are_loaded():
    found = network_parity(
        chain(),
        {"x": rng(1).random((15, 12)) < 0.3},
        loaded=True,
        stall=2,
        engine="amaranth",
        progress=False,
    )
    assert found.bit_exact, str(found)
    assert found.layers["h"].spikes[1] > 5
    words = loads_of(plan(chain().fixed()))
    assert words.shape == (12 * 2 + 10, 2 + 8 * 8 // 16)
    assert words[:, 1].tolist() == list(range(34))


@pytest.mark.parametrize("place", ["weight", "shift", "bias"])
def test_gates_of_other_numbers_are_found_out(place):
    net, other = chain(), chain()
    if place == "bias":
        weights, bias = other.projections[1].map.weights, np.array([0.0, 0, 0.01])
    else:
        weights, bias = np.array(other.projections[1].map.weights), None
        weights[1, 4] += 0.25 if place == "weight" else 0
    other.projections.pop()
    other.connect("h", "o", Dense(weights, bias=bias), point=3 if place == "shift" else None)
    given = {"x": rng(1).random((20, 12)) < 0.4}
    found = network_parity(
        net, given, gates=Gates(other.fixed()), engine="amaranth", progress=False
    )
    assert not found.bit_exact
    assert found.first["population"] == "o"
    assert found.first["what"] == "drive"
    assert "differ, first drive of neuron" in str(found)
    assert not found.figures()["ok"]


class Deaf(Neuron):
    """Nothing reads its second input."""

    V = State()
    I = Input()
    J = Input()

    def update(self, V, I, J):
        return V >= 5, np.where(V >= 5, 0.0, 0.5 * V + I)


def test_an_input_that_nothing_reads_is_not_waited_for():
    net = Network("deaf")
    net.input("x", 2)
    net.population("n", Deaf(), 2)
    net.connect("x", "n", Dense(np.full((2, 2), 2.0)))
    net.output("n")
    given = {"x": np.ones((12, 2))}
    found = network_parity(net, given, engine="amaranth", progress=False)
    assert found.bit_exact, str(found)
    assert found.layers["n"].spikes[1] > 3


def test_gates_that_send_nothing_are_said_to():
    class Mute(Gates):
        def elaborate(self, platform):
            m = super().elaborate(platform)
            m.d.comb += self.o.valid.eq(0)
            return m

    mute = Mute(chain().fixed())
    with pytest.raises(ScneuroError, match="0 words left the hardware in 3 steps"):
        network_parity(
            chain(), {"x": np.ones((3, 12))}, gates=mute, engine="amaranth", progress=False
        )


def test_words_that_are_too_narrow_do_not_pass():
    net = Network("narrow")
    net.input("x", 30)
    net.population("h", Unit(), 4)
    net.connect("x", "h", Dense(rng().normal(0, 20, (4, 30))))
    given = {"x": rng(1).random((80, 30)) < 0.5}
    net.layers["h"].population.neuron.set_words(drive="Q2.14")
    tight = Network("narrow")
    tight.input("x", 30)
    tight.population("h", net.layers["h"].population.neuron, 4)
    tight.connect("x", "h", net.projections[0].map)
    found = network_parity(tight, given, engine="amaranth", progress=False)
    assert found.bit_exact
    assert not found.ok
    assert found.saturated["h.drive"] > 50
    assert "h.drive was at its limit" in str(found)


def test_a_network_that_is_too_large_is_refused_with_numbers():
    net = Network("large")
    net.input("x", 600)
    net.population("h", Unit(), 512)
    net.connect("x", "h", Dense(rng().normal(0, 1, (512, 600))))
    fixed = net.fixed()
    with pytest.raises(DoesNotFit, match=r"large takes \d+ block RAMs at least") as caught:
        network_hardware(fixed, DEVICES["hx8k"])
    assert "307,200 weights take 2,457,600 bits" in caught.value.hint
    with pytest.raises(DoesNotFit):
        network_hardware(fixed, DEVICES["up5k"])
    assert network_hardware(fixed, DEVICES["ecp5-85k"]).plan.lanes == 8


def test_weights_go_to_spram_where_block_ram_has_no_room():
    net = Network("wide")
    net.input("x", 256)
    net.population("h", Unit(), 128)
    net.connect("x", "h", Dense(rng().normal(0, 1, (128, 256))))
    hardware = network_hardware(net.fixed(), DEVICES["up5k"])
    assert hardware.loaded
    laid = hardware.fixed, hardware.plan, hardware.form
    memories = network_memories(*laid, loaded=hardware.loaded)
    (weights,) = [m for m in memories if m.what == "weights"]
    assert weights.single
    assert weights.bits == 128 * 256 * 8
    assert not network_hardware(chain().fixed(), DEVICES["up5k"]).loaded


def test_real_time_is_refused_where_a_step_may_take_longer():
    fixed = chain().fixed()
    gates = Gates(fixed)
    with pytest.raises(
        LoweringError, match=r"dt = 1 ms is 100 clocks .* a step may take"
    ) as caught:
        link_plan(fixed, gates, clock_hz=100_000, baud=10_000, flat_out=False)
    assert "--flat-out" in caught.value.hint
    assert link_plan(fixed, gates, clock_hz=12_000_000, flat_out=False).tick_clocks == 12_000


@pytest.mark.parametrize(
    "wrong", few(("decay", "weights", "delay", "none"), lambda wrong: wrong == "decay")
)
def test_integers_of_another_network_do_not_excuse_themselves(wrong):
    """What float bears is found on the network itself."""

    def made(factor: float = 1.0, alpha: float = 0.1, delay: int = 2) -> Network:
        r = rng(5)
        net = Network("own")
        net.input("x", 12)
        net.population("h", Unit(alpha=alpha), 16)
        net.population("o", Unit(alpha=alpha), 6)
        net.connect("x", "h", Dense(factor * r.normal(1, 1.5, (16, 12))), bits=12)
        net.connect("h", "o", Dense(factor * r.normal(0.6, 1, (6, 16))), delay=delay, bits=12)
        return net

    other = {"decay": {"alpha": 0.12}, "weights": {"factor": 1.1}, "delay": {"delay": 1}}
    fixed = made(**other.get(wrong, {})).fixed()
    given = {"x": rng(6).random((60, 12)) < 0.2}
    found = network_parity(made(), given, fixed=fixed, lanes=32, engine="amaranth", progress=False)
    assert found.bit_exact, str(found)
    assert found.traces_agree == (wrong == "none"), str(found)


def test_integers_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="fixed are the integers of <loop"):
        network_parity(chain(), fixed=loop().fixed())


def test_what_is_no_network_is_refused():
    with pytest.raises(TypeError, match="takes the integers of a network"):
        Gates(chain())
    with pytest.raises(ValueError, match="lanes must be a power of two from 1 to 64, not 3"):
        plan(chain().fixed(), 3)
    with pytest.raises(ValueError, match="engine must be one of"):
        network_parity(chain(), engine="verilator")
    with pytest.raises(TypeError, match="network_parity\\(\\) takes a network, not LIF"):
        network_parity(LIF())


@pytest.mark.slow
@pytest.mark.parametrize("device", nightly(("up5k", "ecp5-85k"), lambda d: d == "up5k"))
def test_compiled_gates_and_their_netlist(device):
    net, given = loop(), loop_spikes(300)
    found = network_parity(net, given, stall=1, progress=False)
    assert found.bit_exact, str(found)
    net, given = chain(), {"x": rng(1).random((300, 12)) < 0.3}
    gates = network_hardware(net.fixed(), DEVICES[device], lanes=2)
    library = netlist_library(gates, device)
    found = network_parity(net, given, gates=gates, library=library, stall=5, progress=False)
    assert found.bit_exact, f"{device}: {found}"


@pytest.mark.slow
@pytest.mark.nightly
def test_a_bitstream_meets_its_clock(tmp_path):
    target = board("icebreaker")
    report = build_bitstream(chain(), target, tmp_path, progress=False)
    assert report.fmax_mhz > report.clock_mhz
    assert report.neurons == 13
    saved = json.loads((tmp_path / "chain-icebreaker.json").read_text())
    assert saved["lanes"] == 8
    assert saved["clocks_a_step"] == network_hardware(chain().fixed(), target.part).worst_clocks
    assert (tmp_path / "chain-icebreaker.bin").stat().st_size > 50_000


def test_gates_run_as_a_network_does():
    fixed = loop().fixed()
    expected = fixed.run(**loop_spikes(12), progress=False)
    found = run_network(fixed, engine="amaranth", **loop_spikes(12))
    for name, values in expected.arrays().items():
        assert np.array_equal(found[name], values), name
    assert expected.spike["q"].any()
    with pytest.raises(ValueError, match="gates do one run at a time"):
        run_network(fixed, a=np.zeros((3, 2, 20)), b=np.zeros((3, 2, 5)))
    with pytest.raises(ValueError, match="engine must be one of"):
        run_network(fixed, engine="verilator", **loop_spikes(2))


def test_the_command_line_takes_networks(tmp_path, capsys):
    file = tmp_path / "net.py"
    file.write_text(
        "from scneuro import LIF, Network\n"
        "from scneuro.network import Dense\n"
        "net = Network('own')\n"
        "net.input('x', 3)\n"
        "net.population('p', LIF(dt=1.0), 2)\n"
        "net.connect('x', 'p', Dense([[40.0, 0, 40], [0, 40, 0]]))\n"
    )
    target = f"{file}:net"
    assert main(["parity", target, "--steps", "15", "--engine", "amaranth", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["bit_exact"]
    assert found["populations"]["p"]["neurons"] == 2
    assert main(["simulate", target, "--steps", "15", "--backend", "amaranth", "--json"]) == 0
    ran = json.loads(capsys.readouterr().out)["populations"][0]["spikes"]
    assert ran == found["populations"]["p"]["spikes"]["fixed"] > 0
    assert main(["show", target, "--json"]) == 0
    clocks = json.loads(capsys.readouterr().out)["clocks_a_step"]
    assert sum(clocks.values()) == found["worst_clocks_per_step"]
    for wrong, said in (
        (["parity", target, "--lanes", "3"], "lanes must be a power of two"),
        (["parity", target, "--vcd", "a.vcd"], "--vcd is of a single neuron"),
        (["parity", target, "--budget", "-1"], "--budget must be a positive number"),
        (["plot", target, "-o", str(tmp_path / "a.png")], "is a network"),
        (["build", target, "--board", "nowhere", "-o", str(tmp_path)], "nowhere"),
    ):
        assert main(wrong) == 2
        said_so = capsys.readouterr().err
        assert said in said_so
        assert len(said_so.strip().splitlines()) <= 2
