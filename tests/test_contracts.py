"""What engines drive and parity compares: gates of any kind, in either engine."""

import numpy as np
import pytest
from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from checks import few
from test_network_gates import loop, loop_spikes

from scneuro import LIF, NoisyLIF, Population, SCDenseLayer, ScneuroError
from scneuro.hdl import Neuron, build
from scneuro.hdl.network import Network as NetworkGates
from scneuro.hdl.population import Population as Gates
from scneuro.hdl.stochastic import Layer
from scneuro.sim.compare.bits import compare_bits
from scneuro.sim.contracts.contract import Contract, Integers, Seen, Signature
from scneuro.sim.contracts.layer import LayerContract
from scneuro.sim.contracts.network import NetworkContract
from scneuro.sim.contracts.neuron import NeuronContract
from scneuro.sim.contracts.population import PopulationContract
from scneuro.sim.engines.drive import Driven

ENGINES = ["amaranth", "cxxrtl"]


# -- something new ---------------------------------------------------------------------------------
class Adder(wiring.Component):
    """The sum of all bytes so far, shown a clock after each, and a clock late on ``o``."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(16))
    sum: Out(16)
    step = 1

    def elaborate(self, platform):
        m = Module()
        late = Signal()
        m.d.comb += [self.i.ready.eq(~late & ~self.o.valid), self.o.payload.eq(self.sum)]
        m.d.sync += [late.eq(self.i.valid & self.i.ready), self.o.valid.eq(late)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += self.sum.eq(self.sum + self.step * self.i.payload)
        return m


class AdderContract(Contract):
    name = "adder"
    signature = Signature((Seen("o.payload", 16, 1), Seen("sum", 16, 1)), patience=20, answers=1)
    silence = "the adder stopped answering", "it must send a sum for each byte"

    def __init__(self, gates=None):
        self.gates = gates or Adder()

    def words(self, given, begin):
        values = given["x"].astype(np.uint32)
        return values[:, None], 1 + np.arange(len(values))

    def tables(self, seen, begin, frames):
        sent, shown = seen
        return {"sum": shown[""], "sent": sent[""]}

    def compute(self, given, *, progress=False):
        sums = np.cumsum(given["x"]) & 0xFFFF
        return Integers({"sum": sums, "sent": sums}, None)


BYTES = {"x": np.random.default_rng(0).integers(0, 256, 400)}


@pytest.mark.compiler
@pytest.mark.usefixtures("quick_to_compile")
@pytest.mark.parametrize("engine", ENGINES)
def test_something_new_is_compared_by_its_contract_alone(engine):
    found = compare_bits(AdderContract(), BYTES, engine=engine, keep=True)
    assert (found.differing, found.compared, found.first) == (0, 800, None)
    assert found.clocks == 3 * 400
    assert found.shown["sum"][-1] == BYTES["x"].sum() & 0xFFFF


@pytest.mark.compiler
@pytest.mark.usefixtures("quick_to_compile")
@pytest.mark.parametrize("engine", ENGINES)
def test_what_differs_first_is_named(engine):
    class Wraps(Adder):
        """Its sum loses a bit."""

        def elaborate(self, platform):
            m = super().elaborate(platform)
            m.d.comb += self.o.payload.eq(self.sum & 0x7FFF)
            return m

    step = int(np.argmax(np.cumsum(BYTES["x"]) > 0x7FFF))
    found = compare_bits(AdderContract(Wraps()), BYTES, engine=engine, to_the_end=False)
    right = int(BYTES["x"][: step + 1].sum())
    assert found.figures() == {
        "step": step,
        "what": "sent",
        "model": right,
        "hardware": right & 0x7FFF,
    }
    assert found.first.shown == {"sum": right, "sent": right & 0x7FFF}
    assert (found.compared < 800) == (engine == "amaranth")  # which need not go on for long
    found = compare_bits(AdderContract(Wraps()), BYTES, engine=engine)
    assert found.first.step == step
    assert found.differing == np.count_nonzero(found.integers.tables["sum"] & 0x8000)


class Silent(Adder):
    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.sync += self.o.valid.eq(0)
        return m


class Twice(Adder):
    """Every result stays for two clocks."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        before = Signal()
        m.d.sync += before.eq(self.o.valid)
        with m.If(self.o.valid & ~before):
            m.d.sync += self.o.valid.eq(1)
        return m


@pytest.mark.compiler
@pytest.mark.usefixtures("quick_to_compile")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("kind", "said"), [(Silent, "stopped answering"), (Twice, "adder: the hardware gave more")]
)
def test_gates_that_answer_never_or_twice_are_an_error(kind, said, engine):
    with pytest.raises(ScneuroError, match=said):
        compare_bits(AdderContract(kind()), BYTES, engine=engine)


# -- what there is ---------------------------------------------------------------------------------
def neuron():
    fixed = LIF().fixed()
    return NeuronContract(build(LIF(), fixed), fixed), {"I": np.full(30, 6_000)}, 0


def population():
    fixed = Population(NoisyLIF(), 6, lanes=2).fixed()
    drive = np.random.default_rng(1).integers(0, 16_000, (30, 6))
    return PopulationContract(Gates(fixed), fixed), {"I": drive}, 3


def layer():
    fixed = SCDenseLayer(3, 4, bits=5, per_step=2, lanes=2).fixed()
    x = np.random.default_rng(1).uniform(size=(2, 3))
    words = np.stack([fixed.projection.input_words(row) for row in x])
    return LayerContract(Layer(fixed), fixed), {"x": words}, 0


def network():
    fixed = loop().fixed()
    return NetworkContract(NetworkGates(fixed), fixed, 20), loop_spikes(40), 3


@pytest.mark.compiler
@pytest.mark.usefixtures("quick_to_compile")
@pytest.mark.parametrize(
    "make", few([neuron, population, layer, network], lambda make: make is neuron)
)
def test_both_engines_take_the_same_clocks_and_show_the_same(make):
    contract, given, stall = make()
    one, other = (
        compare_bits(make()[0], given, engine=engine, stall=stall, keep=True) for engine in ENGINES
    )
    assert one.clocks == other.clocks > 0
    assert (one.differing, other.differing) == (0, 0), one.first
    assert one.shown.keys() == other.shown.keys() == one.integers.tables.keys()
    for name, table in one.shown.items():
        assert np.array_equal(table, other.shown[name]), name
        assert len(np.unique(table)) > 1, name
    contract, *_ = make()
    half = {n: np.split(values, 2) for n, values in given.items()}
    driven = Driven(contract, "amaranth", stall=stall)
    halves = [driven.run({n: values[k] for n, values in half.items()}).tables for k in (0, 1)]
    for name, table in one.shown.items():
        assert np.array_equal(np.concatenate([part[name] for part in halves]), table), name


class Lingers(Neuron):
    """A result stays for a clock after it was taken."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        was, shown = Signal(), Signal()
        m.d.sync += was.eq(self.o.valid)
        m.d.comb += shown.eq(self.o.valid)
        with m.If(self.o.valid & ~was):
            m.d.sync += self.o.valid.eq(1)
        return m


@pytest.mark.compiler
@pytest.mark.usefixtures("quick_to_compile")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_second_result_of_a_neuron_is_an_error(engine):
    fixed = LIF().fixed()
    contract = NeuronContract(Lingers(fixed), fixed)
    with pytest.raises(ScneuroError, match="LIF: the hardware gave a second result for one input"):
        compare_bits(contract, {"I": np.full(4, 500)}, engine=engine)


# -- spikes on their way out -----------------------------------------------------------------------
MADE = [(0, 0), (2, 0), (1, 2), (2, 2)]  # neurons and steps
LEFT = {
    "as they were made": (MADE, True),
    "one is lost": (MADE[:-1], False),
    "one comes twice": ([*MADE, (2, 2)], False),
    "two of a step change places": ([MADE[1], MADE[0], *MADE[2:]], False),
    "one of a step before comes late": ([(0, 0), (1, 2), (2, 0), (2, 2)], False),
    "one is of another step": ([*MADE[:3], (2, 1)], False),
    "one is of a step to come": ([*MADE[:3], (2, 9)], False),
    "one is of no neuron": ([*MADE, (3, 2)], False),
}


@pytest.mark.parametrize("begin", [0, 65_535])
@pytest.mark.parametrize("what", LEFT)
def test_spikes_that_do_not_leave_in_order_and_once_differ(what, begin):
    fixed = Population(LIF(), 3).fixed()
    contract = PopulationContract(Gates(fixed), fixed)
    spikes, right = LEFT[what]
    neuron, step = np.array(spikes, dtype=np.int64).T
    sent = {"neuron": neuron, "step": (step + begin) & 0xFFFF}
    rows = np.tile(np.arange(3), 3)
    written = {}
    for name in ("V", "spike"):
        written |= {f"{name}.valid": rows >= 0, f"{name}.row": rows, f"{name}.values.0": 0 * rows}
    tables = contract.tables([sent, written], begin, 3)
    wanted = np.zeros((3, 4), dtype=int)
    wanted[0, 0], wanted[0, 2], wanted[2, 1], wanted[2, 2] = 1, 2, 1, 2
    assert np.array_equal(tables["a spike on its way out"], wanted) == right
