"""The proof: it holds for every neuron and form, and every planted fault breaks it."""

import importlib
import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from bitwuzla import Bitwuzla, Kind, Options, Result, TermManager
from checks import few
from faults.gates import FaultyStep, nodes_of
from hypothesis import given
from hypothesis import strategies as st

from scneuro import LIF, AdEx, HodgkinHuxley, NoisyLIF, cli
from scneuro.compiler.datapath import ARRAYS, INTEGERS, Datapath
from scneuro.compiler.pipeline import cells
from scneuro.compiler.pipeline.cells import Cells
from scneuro.compiler.pipeline.schedule import schedule
from scneuro.errors import ScneuroError, ToolError
from scneuro.hdl import Neuron, Step
from scneuro.load import make_neuron
from scneuro.neurons import builtins
from scneuro.sim import SimulatedNeuron, vector_parity
from scneuro.sim.proof import algebra, prove
from scneuro.sim.proof.bits import Integer, bitvectors
from scneuro.sim.proof.smt2 import Rtl

prover = importlib.import_module("scneuro.sim.proof.prove")


@pytest.mark.parametrize(
    ("name", "dsp", "held"),  # conformance proves the others
    few(
        itertools.product(("adex", "izhikevich"), (True, False), (False, True)),
        lambda case: (
            (case[1:] in ((True, True), (False, False)) and case[0] == "izhikevich")
            or case == ("adex", True, False)
        ),
    ),
)
def test_a_neuron_is_proved_in_every_form(name, dsp, held):
    fixed = make_neuron(name).fixed()
    result = prove(fixed, held=held, dsp=dsp, progress=False)
    assert result.ok, str(result)
    registers = fixed.lowered.registers.values()
    assert result.states == np.prod([float(r.high - r.low + 1) for r in registers])
    words = len(fixed.lowered.inputs) + len(fixed.lowered.noise)
    assert result.inputs == 2 ** (16 * words)


@pytest.mark.slow
@pytest.mark.parametrize("held", [False, True], ids=["pipelined", "held"])
def test_a_hodgkin_huxley_neuron_is_proved_with_the_dsps_of_an_up5k(held):
    assert prove(HodgkinHuxley().fixed(), held=held, dsp=8, progress=False).ok


@pytest.mark.parametrize("rounding", few(("floor", "stochastic"), "stochastic".__eq__))
def test_the_other_roundings_are_proved(rounding):
    for neuron in (AdEx(), NoisyLIF()):
        result = prove(neuron.fixed(rounding=rounding), progress=False)
        assert result.ok, str(result)


# -- faults --------------------------------------------------------------------------------------
def sites(step, op):
    return [n.index for n in step.pipeline.schedule.path.reachable() if n.op == op]


FAULTS = {
    "add": "sign of a term",
    "shr": lambda n: {"meta": n.meta - 1},
    "ge": "bound + 1",
    "clamp": "limit + 1",
    "rom": "bit of a row",
}


@pytest.mark.parametrize(
    "held", few((False, True), lambda held: not held), ids=["pipelined", "held"]
)
@pytest.mark.parametrize("op", few(FAULTS, lambda op: op in ("add", "ge", "rom")))
def test_a_fault_in_one_operation_is_caught(op, held, monkeypatch):
    monkeypatch.setattr(prover, "_counterexample", lambda *_: None)  # what is tried afterwards
    fixed = AdEx().fixed()
    index = sites(Step(fixed.lowered, held=held, dsp=True), op)[0]
    step = FaultyStep(fixed.lowered, index, FAULTS[op], held=held, dsp=True)
    result = prove(fixed, step=step, progress=False)
    assert not result.ok
    assert result.failures


def test_a_delay_too_short_is_caught():
    class TooEarly(Cells):
        def seen(self, node, stage):
            return 2 if node.op == "input" and stage == 3 else stage

    class Early(Step):
        def _pipeline(self, lowered):
            return TooEarly(schedule(lowered, self.form)).build()

    fixed = AdEx().fixed()
    result = prove(fixed, step=Early(fixed.lowered, dsp=True), progress=False)
    assert not result.ok


def test_low_bits_that_do_not_pass_an_adder_by_are_caught(monkeypatch):
    passed = cells._passed

    def too_many(node):
        found = passed(node)
        return (found[0], found[1] + 1) if found and found[1] + 1 < node.width else None

    monkeypatch.setattr(cells, "_passed", too_many)
    result = prove(AdEx().fixed(), held=True, dsp=True, progress=False)
    assert any("lacks other bits" in failure for failure in result.failures)


def test_a_counterexample_is_a_state_an_input_and_both_answers():
    fixed = LIF().fixed()
    step = Step(fixed.lowered)
    index = next(i for i in sites(step, "const") if i)
    broken = FaultyStep(fixed.lowered, index, lambda n: {"meta": n.meta + 5000})
    result = prove(fixed, step=broken, progress=False)
    found = result.counterexample
    assert set(found) == {"inputs", "model", "hardware"}
    assert found["model"] != found["hardware"]
    model = fixed.lowered.path.evaluator(fixed.lowered.path.outputs, INTEGERS)(found["inputs"])
    assert {n: int(v) for n, v in model.items()} == found["model"]
    test = result.as_test()
    namespace = {}
    exec(test, namespace)
    namespace["test_counterexample_of_lif"](LIF())  # the sound gates pass it
    assert str(found["inputs"]["V"]) in test


def test_an_interval_that_is_too_narrow_is_caught():
    fixed = LIF().fixed()
    step = Step(fixed.lowered)
    node = next(n for n in nodes_of(step) if n.op == "shr")
    low, node.low = node.low, node.low // 2
    try:
        result = prove(fixed, step=step, progress=False)
    finally:
        node.low = low
    assert any("may leave" in failure for failure in result.failures)


def test_a_pipelined_step_may_be_compared_with_its_inputs_held():
    fixed = AdEx().fixed()
    result = vector_parity(fixed, 50, step=Step(fixed.lowered, held=True), progress=False)
    assert result.ok
    assert result.vectors == 50


# -- the parts -----------------------------------------------------------------------------------
def solved(claim, terms):
    """Whether a claim without variables holds."""
    solver = Bitwuzla(terms, Options())
    solver.assert_formula(terms.mk_term(Kind.NOT, [claim]))
    return solver.check_sat() == Result.UNSAT


small = st.integers(-5000, 5000)


@given(small, small, st.integers(0, 9))
def test_bit_vectors_compute_what_integers_do(a, b, bits):
    terms = TermManager()
    x, y = Integer.constant(terms, a), Integer.constant(terms, b)
    mask = (1 << bits) - 1
    for made, wanted in (
        (x + y, a + b),
        (x - y, a - b),
        (x * y, a * b),
        (x << bits, a << bits),
        (x >> bits, a >> bits),
        (x + 3, a + 3),
        (x * -7, a * -7),
    ):
        assert solved(made.equals(wanted), terms)
    if bits:
        assert solved((x & mask).equals(a & mask), terms)
    assert solved(x >= y, terms) == (a >= b)


@pytest.mark.parametrize("name", ["adex", "conductance_lif", "noisy_lif"])
def test_the_evaluator_computes_the_same_over_bit_vectors(name):
    fixed = make_neuron(name).fixed()
    path, terms = fixed.lowered.path, TermManager()

    def row(node, address):
        result = Integer.constant(terms, node.meta[0])
        for k, value in enumerate(node.meta):
            same = address.equals(k)
            width = max(result.width, 64)
            chosen = [same, Integer.constant(terms, value).extended(width), result.extended(width)]
            result = Integer(terms, terms.mk_term(Kind.ITE, chosen))
        return result

    model = path.evaluator(path.outputs, bitvectors(terms, row))
    rng = np.random.default_rng(1)
    for _ in range(3):
        given_ = {n: int(rng.integers(i.low, i.high + 1)) for n, i in path.inputs.items()}
        wanted = path.evaluator(path.outputs, INTEGERS)(given_)
        made = model({n: Integer.constant(terms, v) for n, v in given_.items()})
        for state in fixed.lowered.registers:
            assert solved(made[state].equals(wanted[state]), terms)


@pytest.mark.parametrize("name", few(builtins(), lambda name: name != "hodgkin_huxley"))
@pytest.mark.parametrize("dsp", [True, False])
def test_the_interval_of_every_node_holds_by_arithmetic_or_by_measurement(name, dsp):
    fixed = make_neuron(name).fixed()
    path = Step(fixed.lowered, dsp=dsp).pipeline.schedule.path
    rng = np.random.default_rng(0)
    values = {n: rng.integers(i.low, i.high + 1, size=500) for n, i in path.inputs.items()}
    for node in path.reachable():
        if algebra.bounded_by_linear_form(node) or algebra.exhaustive_interval(node):
            made = path.evaluator({"x": node}, ARRAYS)(values)["x"]
            assert np.min(made) >= node.low
            assert np.max(made) <= node.high


def test_additions_that_are_not_the_multiplication_are_told_from_those_that_are():
    path = Datapath()
    a = path.input("a", -100, 100, 0)
    times5 = path.scale(a, 5, 0)
    right = path.add(path.scale(a, 1, -2), a)
    wrong = path.add(path.scale(a, 1, -1), a)
    assert algebra.same_function(times5, right, [a])
    assert not algebra.same_function(times5, wrong, [a])


def test_what_yosys_writes_and_is_not_understood_is_refused():
    text = "(define-fun |top_n x| ((state |top_s|)) Bool (bvmagic |top#0|))"
    rtl = Rtl(text, "top", TermManager(), None)
    with pytest.raises(ToolError, match="bvmagic"):
        rtl.wire("x", {})
    with pytest.raises(ToolError, match="no register"):
        Rtl("", "top", TermManager(), None).pieces("x")


def test_the_command_proves_both_forms_and_says_for_how_many_states(capsys):
    assert cli.main(["prove", "lif"]) == 0
    text = capsys.readouterr().out
    assert text.count("proved for all 2^") == 4
    assert cli.main(["prove", "lif", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert [f["ok"] for f in figures["forms"]] == [True] * 4
    assert all(f["failures"] == [] and f["registers"] > 0 for f in figures["forms"])
    assert figures["invariants"] == []


@pytest.mark.slow
def test_the_command_proves_the_invariants_too(capsys):
    assert cli.main(["prove", "lif", "--invariants"]) == 0
    text = capsys.readouterr().out
    assert "LIF, once: every input has exactly one result" in text
    assert "UART loopback(12), loopback: every byte that is sent is received" in text


def test_hand_written_hardware_is_not_said_to_be_proved(capsys, tmp_path):
    source = tmp_path / "own.py"
    source.write_text(
        "from scneuro import LIF\nfrom scneuro.hdl import Neuron\n"
        "class Own(LIF):\n    def hardware(self, fixed):\n        return Neuron(fixed)\n"
    )
    assert cli.main(["prove", f"{source}:Own"]) == 2
    assert "its own hardware" in capsys.readouterr().err


def test_a_hardware_neuron_proves_its_own_form():
    for dsp, form in ((True, "DSPs"), (False, "logic")):
        fixed = LIF().fixed()
        neuron = SimulatedNeuron(lambda dsp=dsp, fixed=fixed: Neuron(fixed, dsp=dsp), fixed)
        proof = neuron.prove(progress=False)
        assert proof.ok
        assert form in proof.form
    with pytest.raises(ScneuroError, match="its own hardware"):
        SimulatedNeuron(lambda: object(), fixed).prove()


def test_the_fixture_refuses_hand_written_hardware(prove):
    class Own(LIF):
        def hardware(self, fixed):
            return Neuron(fixed)

    with pytest.raises(ScneuroError, match="its own hardware"):
        prove(Own())


def test_the_fixture_proves_and_reports(prove):
    assert prove(LIF(), held=True).ok
    assert replace(prove(LIF()), failures=["x"]).ok is False
