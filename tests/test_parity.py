"""Parity: it passes what is right, catches what is not, and says where."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from amaranth import Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from faults.nodes import with_node_changed

from scneuro import LIF, AdEx, Izhikevich, ScneuroError
from scneuro.hdl import Neuron as HardwareNeuron
from scneuro.hdl import Step, build, signature
from scneuro.sim import SimulatedNeuron, conformance, parity, vector_parity
from scneuro.sim.compare.vectors import random_vectors
from scneuro.sim.contracts import neuron as contract

pytest_plugins = ["pytester"]

BUILT_IN = [LIF, AdEx, Izhikevich]

TestLIF = conformance(LIF, steps=200)


# -- what is right passes -------------------------------------------------------------------------
@pytest.mark.parametrize("model", BUILT_IN)
def test_the_built_in_neurons_pass(model):
    result = parity(model(), steps=300, progress=False)
    assert result.ok, str(result)
    assert result.bit_exact
    assert result.mismatch is None
    assert result.within_bound
    assert result.traces_agree
    assert "FAIL" not in str(result)
    figures = result.figures()
    assert figures["ok"]
    assert figures["steps"] == 300
    assert 0 < figures["step_error_lsb"]["max"] <= figures["step_error_lsb"]["bound"]
    assert figures["first_mismatch"] is None


@pytest.mark.parametrize("rounding", ["floor", "stochastic"])
def test_other_roundings_pass_too(rounding):
    neuron = AdEx()
    result = parity(neuron, steps=200, fixed=neuron.fixed(rounding=rounding), progress=False)
    assert result.bit_exact, str(result)
    assert result.within_bound, str(result)


def test_simulated_hardware_has_the_surface_of_a_neuron():
    neuron = LIF()
    fixed = neuron.fixed()
    gates = SimulatedNeuron(lambda: build(neuron, fixed), fixed)
    current = np.full(60, 40.0)
    a, b = gates.run(current), fixed.run(current)
    assert a.spikes > 0
    assert np.array_equal(a.spike, b.spike)
    assert np.array_equal(a.V, b.V)
    assert gates.registers == fixed.registers
    gates.reset()
    assert gates.V == -70.0
    with pytest.raises(AttributeError, match="cannot be set from outside"):
        gates.write("V", 0.0)
    with pytest.raises(ValueError, match="does not fit"):
        gates.step(I=200.0)
    with pytest.raises(ValueError, match="one neuron, not 3"):
        gates.step(I=np.zeros(3))


@pytest.mark.parametrize("stimulus", [np.zeros((5, 2)), np.zeros(0), [np.nan], [500.0]])
def test_a_stimulus_that_cannot_be_compared_is_refused(stimulus):
    with pytest.raises(ValueError, match="LIF"):
        parity(LIF(), stimulus, progress=False)


# -- hand-written hardware ------------------------------------------------------------------------
class HandWritten(wiring.Component):
    """A leaky neuron in one combinational step, from the reported coefficients alone."""

    def __init__(self, fixed, *, wrong_above=None, wrong_word=False):
        self._fixed, self._wrong_above, self._wrong_word = fixed, wrong_above, wrong_word
        super().__init__(signature(fixed.lowered))

    def elaborate(self, platform):
        m = Module()
        lowered = self._fixed.lowered
        r = lowered.registers["V"]
        used = {c.of: Fraction(c.used) for c in lowered.coefficients}
        # V' = V + used[V] V + used[I] I, over one power of two
        scale = max(c.denominator for c in used.values()) << 8
        of_V = int((1 + used["V"]) * scale)
        of_I = int(used["I"] * scale) << (r.fraction - 8)
        V = Signal(signed(r.width), init=r.init)
        total = Signal(signed(64))
        rounded = Signal(signed(64))
        limited = Signal(signed(r.width))
        go = Signal()
        shift = scale.bit_length() - 1
        spike = rounded >= int(HandLIF().V_th * 2**r.fraction)
        word = V[r.guard :].as_signed() + V[r.guard - 1]
        m.d.comb += [
            total.eq(V * Const(of_V) + self.i.payload["I"] * Const(of_I) + (scale >> 1)),
            rounded.eq(total >> shift),
            limited.eq(Mux(rounded > r.most, r.most, Mux(rounded < r.least, r.least, rounded))),
            self.o.payload["V"].eq(Mux(word == 2**15, 2**15 - 1, word) ^ int(self._wrong_word)),
            self.state["V"].eq(V),
            go.eq(self.i.valid & (~self.o.valid | self.o.ready)),
            self.i.ready.eq(go),
        ]
        off = 0 if self._wrong_above is None else limited >= self._wrong_above
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(go):
            m.d.sync += [
                self.o.valid.eq(1),
                self.o.payload.spike.eq(spike),
                V.eq(Mux(spike, int(HandLIF().V_reset * 2**r.fraction), limited + off)),
            ]
        return m


class HandLIF(LIF):
    """A LIF without a constant term, with hardware of its own."""

    tau_m: float = 4.7
    E_L: float = 0.0
    V_th: float = 20.0
    V_reset: float = -5.0

    def hardware(self, fixed):
        return HandWritten(fixed)


BORDER = 15 * 2**16


class BrokenLIF(HandLIF):
    def hardware(self, fixed):
        return HandWritten(fixed, wrong_above=BORDER)


def test_hand_written_hardware_passes_the_same_parity():
    neuron = HandLIF()
    assert isinstance(build(neuron, neuron.fixed()), HandWritten)
    current = np.random.default_rng(1).uniform(-20, 127, 300)
    result = parity(neuron, current, progress=False)
    assert result.ok, str(result)
    assert result.spikes["fixed"] > 10


def test_hand_written_hardware_passes_at_full_scale():
    current = np.repeat([-128.0, 127.99609375, 0.0, -128.0], 60)
    result = parity(HandLIF(), current, progress=False)
    assert result.bit_exact, str(result)


@pytest.fixture
def broken(tmp_path):
    """The parity of hardware that is one LSB off from a value on, and the step that shows."""
    neuron = BrokenLIF()
    fixed = neuron.fixed()
    current = np.full(200, 1.75)
    step, before, after = None, [], []
    for t in range(200):
        before.append(fixed.registers["V"])
        fixed.step(I=1.75)
        after.append(fixed.registers["V"])
        if after[-1] >= BORDER:
            step = t
            break
    assert step is not None
    result = parity(neuron, current, vcd=tmp_path / "deep" / "wave.vcd", progress=False)
    return result, step, before[-1], after[-1]


def test_an_off_by_one_is_caught_at_its_first_step(broken):
    result, step, before, after = broken
    assert not result.bit_exact
    assert not result.ok
    assert result.mismatch.step == step > 10
    assert result.mismatch.inputs == {"I": 448}
    assert result.mismatch.before == {"V": before}
    assert result.mismatch.model == {"V": after, "spike": 0}
    assert result.mismatch.hardware == {"V": after + 1, "spike": 0}
    assert result.figures()["first_mismatch"] == step


def test_levels_two_and_three_are_about_the_integer_model_and_still_pass(broken):
    result, *_ = broken
    assert result.within_bound
    assert result.traces_agree


def test_the_report_of_a_mismatch_shows_float_word_and_bits(broken):
    result, step, _, after = broken
    text = str(result)
    assert f"bit    FAIL  gates differ from the integer model at step {step:,}" in text
    assert "inputs: I = 1.75" in text
    for label, value in (("model", after), ("gates", after + 1)):
        (line,) = [x for x in text.splitlines() if x.split()[:2] == [label, "V"]]
        assert f"{value / 2**16:.8g}" in line
        assert f"Q8.8 {(value + 128) >> 8:6d}" in line
        bits = format(value & 0xFFFFFF, "024b")
        assert f"{bits[:16]} {bits[16:]}" in line
        assert ("<- differs" in line) == (label == "gates")


def test_a_mismatch_leaves_a_waveform(broken):
    result, *_ = broken
    assert result.vcd.exists()
    assert f"waveform: {result.vcd}" in str(result)
    text = result.vcd.read_text()
    assert "$enddefinitions" in text
    assert "payload" in text


def test_no_waveform_is_written_when_all_is_well(tmp_path):
    result = parity(HandLIF(), np.ones(20), vcd=tmp_path / "wave.vcd", progress=False)
    assert result.vcd is None
    assert not (tmp_path / "wave.vcd").exists()


def test_a_wrong_word_beside_right_registers_is_caught_and_shown():
    class WrongWord(HandLIF):
        def hardware(self, fixed):
            return HandWritten(fixed, wrong_word=True)

    result = parity(WrongWord(), np.ones(20), progress=False)
    assert not result.bit_exact
    assert result.mismatch.step == 0
    assert "differs" in str(result).split("step 0", 1)[1]


class Foreign(wiring.Component):
    i: In(8)
    o: Out(8)

    def elaborate(self, platform):
        return Module()


@pytest.mark.parametrize("make", [Foreign, object, lambda: 5])
def test_hardware_without_the_signature_is_refused(make):
    class Strange(LIF):
        def hardware(self, fixed):
            return make()

    with pytest.raises(TypeError, match=r"Strange\.hardware\(\) must"):
        parity(Strange(), steps=10, progress=False)


def test_hardware_of_other_widths_is_refused():
    class Narrow(LIF):
        def hardware(self, fixed):
            return HardwareNeuron(LIF().fixed(guard=4))

    with pytest.raises(TypeError, match="signature"):
        parity(Narrow(), steps=10, progress=False)


class Mute(HandWritten):
    """Never takes an input."""

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.state["V"].eq(0)
        return m


class Deaf(HandWritten):
    """Takes inputs and never answers."""

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.state["V"].eq(0)
        m.d.comb += self.i.ready.eq(1)
        return m


@pytest.mark.parametrize("kind", [Mute, Deaf])
def test_hardware_that_never_answers_is_an_error(monkeypatch, kind):
    monkeypatch.setattr(contract, "_PATIENCE", 50)

    class Silent(HandLIF):
        def hardware(self, fixed):
            return kind(fixed)

    with pytest.raises(ScneuroError, match="Silent: the hardware gave no result in 50 clocks"):
        parity(Silent(), steps=10, progress=False)


# -- breaking the code ----------------------------------------------------------------------------
def altered_step(fixed, op, change, wanted):
    """The pipeline of a datapath in which one node is another; the model keeps the right one."""
    nodes = [n for n in fixed.lowered.path.reachable() if n.op == op and wanted(n)]
    assert nodes, op
    made = with_node_changed(fixed, nodes[0].index, lambda n: {"meta": change(n)})
    return Step(made.lowered)


MUTATIONS = {
    "a rounding constant": (LIF, "const", lambda n: n.meta ^ 2, lambda n: abs(n.meta) > 1000),
    "a row of the table": (
        AdEx, "rom", lambda n: tuple(row ^ 1 << 14 for row in n.meta), lambda n: True,
    ),
    "the sign of a sum": (
        Izhikevich, "add", lambda n: (*n.meta[:2], -n.meta[2]), lambda n: n.meta[2] < 0,
    ),
    "the shift of the result": (
        LIF, "shr", lambda n: n.meta - 1, lambda n: n.name == "V_rounded",
    ),
    "the limit of a state": (
        LIF, "clamp", lambda n: (n.meta[0] + 1, n.meta[1]), lambda n: n.name == "V_next",
    ),
    "the threshold": (LIF, "ge", lambda n: n.meta + 2**16, lambda n: n.meta < -1000),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_thing_altered_in_the_gates_is_reported(name):
    model, op, change, wanted = MUTATIONS[name]
    fixed = model().fixed()
    assert vector_parity(fixed, 500, progress=False).ok
    step = altered_step(fixed, op, change, wanted)
    result = vector_parity(fixed, 500, step=step, progress=False)
    assert not result.ok
    assert result.mismatches > 0
    first = result.first
    assert first["model"] != first["hardware"]
    assert set(first["inputs"]) == {*fixed.state_names, "I"}


def test_a_rounding_constant_altered_in_the_model_is_reported(monkeypatch):
    fixed = LIF().fixed()
    step = Step(fixed.lowered)
    (node, *_) = [n for n in fixed.lowered.path.reachable()
                  if n.op == "const" and abs(n.meta) > 1000 and n.error]  # fmt: skip
    monkeypatch.setattr(node, "meta", node.meta + 8)
    assert not vector_parity(fixed, 500, step=step, progress=False).ok


def test_the_first_mismatch_can_be_replayed():
    fixed = LIF().fixed()
    step = altered_step(fixed, *MUTATIONS["the shift of the result"][1:])
    first = vector_parity(fixed, 300, step=step, progress=False).first
    fixed.registers = {"V": first["inputs"]["V"]}
    fixed.step(I=first["inputs"]["I"] / 256)
    assert fixed.registers["V"] == first["model"]["V"]


def test_a_bound_that_is_too_small_fails_level_two():
    neuron = LIF()
    fixed = neuron.fixed()
    fixed.lowered = replace(fixed.lowered, bounds={"V": 1e-9})
    result = parity(neuron, steps=50, fixed=fixed, progress=False)
    assert result.bit_exact
    assert not result.within_bound
    assert not result.ok
    assert "step   FAIL  V" in str(result)


def test_a_different_neuron_fails_level_three():
    other = LIF(V_reset=-50.5)
    fixed, make = other.fixed(), lambda: HardwareNeuron(other.fixed())
    result = parity(LIF(), steps=2000, fixed=fixed, make=make, progress=False)
    assert result.bit_exact
    assert not result.traces_agree
    assert "trace  FAIL" in str(result)


def test_vectors_reach_the_extremes():
    fixed = AdEx().fixed()
    vectors = random_vectors(fixed, 2000)
    for name, node in fixed.lowered.path.inputs.items():
        assert vectors[name].min() == node.low
        assert vectors[name].max() == node.high
        assert len(np.unique(vectors[name])) > 1000


# -- the plugin -----------------------------------------------------------------------------------
TEST_FILE = """
import numpy as np
from amaranth import Module
from scneuro import LIF
from scneuro.hdl import Neuron, signature
from amaranth.lib import wiring


class Broken(LIF):
    def hardware(self, fixed):
        return Neuron(LIF(R=9.0).fixed())


def test_broken(parity):
    parity(Broken(), np.full(30, 2.0))


def test_fine(parity):
    result = parity(LIF(), np.full(30, 2.0))
    assert result.ok
"""


def test_the_plugin_reports_a_failure_and_keeps_its_waveform(pytester):
    pytester.makepyfile(TEST_FILE)
    traces = pytester.path / "traces"
    result = pytester.runpytest_subprocess("-q", f"--scneuro-traces={traces}")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*bit    FAIL  gates differ*", "*<- differs*", "*waveform:*"])
    assert [p.name for p in traces.iterdir()] == ["test_broken.vcd"]
    assert (traces / "test_broken.vcd").stat().st_size > 0
