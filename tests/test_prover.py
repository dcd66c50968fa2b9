"""What the prover has to cope with: registers that yosys merges, wide words, deep datapaths."""

import importlib
import itertools
from dataclasses import asdict

import numpy as np
import pytest
from bitwuzla import Result, TermManager
from checks import few
from datapaths import HIGH, LOW, fitted, interpolated, made, wide
from faults.gates import FaultyStep, nodes_of

from scneuro import Input, Neuron, State
from scneuro.errors import ToolError
from scneuro.hdl import Step
from scneuro.load import make_neuron
from scneuro.sim import vector_parity
from scneuro.sim.proof import algebra, elaborate, prove
from scneuro.sim.proof.registers import Registers
from scneuro.sim.proof.smt2 import Piece, Rtl
from scneuro.sim.proof.solver import Solver

prover = importlib.import_module("scneuro.sim.proof.prove")
HELD = pytest.mark.parametrize("held", [False, True], ids=["pipelined", "held"])
DSP = pytest.mark.parametrize("dsp", [True, False], ids=["dsp", "logic"])


# -- registers that yosys drops, merges or folds --------------------------------------------------
class Cubic(Neuron):
    """Its product is below an LSB: the registers on the way to it are read by nothing."""

    V = State()
    I = Input()

    def update(self, V, I):
        return V >= 100.0, V + 0.01 * (V * V * I - V)


@HELD
@DSP
def test_a_register_that_nothing_reads_is_gone_and_the_others_are_proved(held, dsp):
    result = prove(Cubic().fixed(), held=held, dsp=dsp, progress=False)
    assert result.ok, str(result)


@HELD
def test_a_register_that_nothing_reads_does_not_hide_a_fault(held):
    fixed = Cubic().fixed()
    step = Step(fixed.lowered, held=held)
    node = next(n for n in reversed(step.pipeline.schedule.path.reachable()) if n.op == "shr")
    result = prove(
        fixed, step=FaultyStep(fixed.lowered, node.index, "truncation", held=held), progress=False
    )
    assert not result.ok


def single(path, V, I):
    """One register in all."""
    nothing = path.add(I, I, -1)
    return path.ge(nothing, 1), path.add(nothing, I)


def one_row(path, V, I):
    """A table of one row, whose memory has all there is of initial values."""
    return path.ge(I, 3), path.rom(path.const(0, 0), (5,), 0)


def twice(path, V, I):
    """The same sum in two registers, and one that is a constant but for one bit."""
    ones = path.const(1, I.fraction), path.const(1, I.fraction, error=0.5)
    sums = path.add(I, ones[0]), path.add(I, ones[1])
    flag = path.mux(path.ge(I, 7), path.const(8, I.fraction), path.const(0, I.fraction))
    return path.ge(sums[0], 3), fitted(path, path.add(path.add(*sums), path.add(flag, V)))


@HELD
@pytest.mark.parametrize("build", [single, one_row, twice])
def test_a_datapath_of_few_or_equal_registers_is_proved(build, held):
    result = prove(made(build), held=held, progress=False)
    assert result.ok, str(result)
    assert result.registers > 2


@pytest.fixture
def optimised(monkeypatch):
    """Has yosys merge equal registers and fold constant bits of them, and counts such wires."""
    script = elaborate._SCRIPT.replace("write_smt2", "opt -full\ndffunmap\nopt_clean\nwrite_smt2")
    monkeypatch.setattr(elaborate, "_SCRIPT", script)
    found = []
    original = Registers._hold

    def hold(self):
        original(self)
        found.extend("merged" for held in self.holds.values() if len(held) > 1)
        for name, node, _, low, _ in self.wires:
            if name in self.rtl and node.op not in ("ge", "not", "and", "or"):
                bits = sum(piece.width for piece in self.rtl.pieces(name))
                found.extend(["folded"] * (0 < bits < node.width - low))

    monkeypatch.setattr(Registers, "_hold", hold)
    return found


@HELD
def test_a_register_that_yosys_merged_or_made_partly_constant_is_proved_by_its_wire(
    optimised, held
):
    assert prove(made(twice), held=held, progress=False).ok
    assert set(optimised) == {"merged", "folded"}


@HELD
def test_a_fault_behind_merged_registers_is_caught(optimised, held):
    fixed = made(twice)
    result = prove(fixed, step=bent(fixed, held=held), progress=False)
    assert optimised
    assert not result.ok


def bent(fixed, **options):
    """A Step whose flag, once in gates, has another constant."""
    nodes = nodes_of(Step(fixed.lowered, **options))
    flag = next(n.index for n in nodes if n.op == "const" and n.meta == 8)
    return FaultyStep(fixed.lowered, flag, lambda n: {"meta": 9}, **options)


@pytest.mark.parametrize("name", ["lif", "adex", "noisy_lif"])
def test_the_built_in_neurons_are_proved_whatever_yosys_optimised(optimised, name):
    assert prove(make_neuron(name).fixed(), held=True, progress=False).ok


TEXT = """
(declare-fun |top#0| (|top_s|) (_ BitVec 3))
(declare-fun |top#1| (|top_s|) (_ BitVec 3))
(declare-fun |top#m| (|top_s|) (Array (_ BitVec 1) (_ BitVec 4)))
(define-fun |top_m mem| ((state |top_s|)) (Array (_ BitVec 1) (_ BitVec 4)) (|top#m| state))
(define-fun |top_n in| ((state |top_s|)) (_ BitVec 3) (|top#1| state))
(define-fun |top_n whole| ((state |top_s|)) (_ BitVec 3) (|top#0| state))
(define-fun |top_n part| ((state |top_s|)) (_ BitVec 3) (concat #b0 ((_ extract 2 1) (|top#0| state))))
(define-fun |top_n zero| ((state |top_s|)) (_ BitVec 2) #b00)
(define-fun |top_n logic| ((state |top_s|)) (_ BitVec 3) (bvnot (|top#0| state)))
(define-fun |top_i| ((state |top_s|)) Bool
  (= (bvand (select (|top#m| state) #b0) #b1111) #b0110))
(define-fun |top_t| ((state |top_s|) (next_state |top_s|)) Bool
  (= (bvadd (|top#1| state) #b001) (|top#0| next_state)))
"""  # noqa: E501


def test_a_module_of_one_register_and_one_row_is_read():
    """Yosys writes a single equation without the ``and`` around it."""
    rtl = Rtl(TEXT, "top", TermManager(), None)
    assert rtl.next == {"|top#0|": ["bvadd", ["|top#1|", "state"], "#b001"]}
    assert rtl.memories == {"mem": {0: 6}}


def test_what_is_left_of_a_register_is_a_wire_of_registers_and_not_of_inputs():
    terms = TermManager()
    rtl = Rtl(TEXT, "top", terms, None)
    assert rtl.pieces("whole") == [Piece("|top#0|", 0, 0, 3)]
    assert rtl.pieces("part") == [Piece("|top#0|", 1, 0, 2)]
    assert rtl.pieces("in") == [Piece("|top#1|", 0, 0, 3)]
    assert rtl.pieces("zero") == []
    assert "gone" not in rtl
    with pytest.raises(ToolError, match=r"made logic of .* no register"):
        rtl.pieces("logic")
    with pytest.raises(ToolError, match="is an input, which is no register"):
        rtl.following("|top#1|", {})


# -- wide words ------------------------------------------------------------------------------------
def product(path, V, I):
    a, b = wide(path, V, I), wide(path, V, I, -1)
    return path.ge(a, 3), fitted(path, path.mul(a, b))


def square(path, V, I):
    a = wide(path, V, I)
    return path.ge(a, 3), fitted(path, path.mul(a, a))


def unsigned(path, V, I):
    a = path.low(wide(path, V, I), 30)
    return path.ge(a, 3), fitted(path, path.mul(wide(path, V, I, -1), a))


def coefficient(path, V, I):
    return path.ge(V, 3), fitted(path, path.scale(wide(path, V, I), 0x5A3B7C91, 30))


def total(path, V, I):
    """Sums of 62 bits, of numbers without a fraction."""
    v, i = path.scale(V, 1, -V.fraction), path.scale(I, 1, -I.fraction)
    a = wide(path, v, i)
    a = path.scale(a, 1, -a.fraction)
    scaled = path.scale(a, 0x3A3B7C91, 0)
    result = path.add(path.add(scaled, path.scale(path.mul(a, v), 1, -6)), scaled, -1)
    assert result.width == 62
    return path.ge(a, 3), path.clamp(path.shr(result, 30, 0.0), LOW, HIGH)


@pytest.mark.parametrize(
    ("build", "dsp", "held"),
    few(
        itertools.product(
            (product, square, unsigned, coefficient, total), (True, False), (False, True)
        ),
        lambda case: not case[2] and (case[1] or case[0] in (coefficient, unsigned)),
    ),
)
def test_products_coefficients_and_sums_of_many_bits_are_proved(build, dsp, held):
    fixed = made(build)
    result = prove(fixed, held=held, dsp=dsp, progress=False)
    assert result.ok, str(result)
    assert vector_parity(fixed, 50, step=Step(fixed.lowered, held=held, dsp=dsp)).ok


@HELD
@pytest.mark.parametrize("dsp", few((True, False), bool), ids=["dsp", "logic"])
def test_a_table_with_an_address_of_24_bits_is_proved_by_all_of_its_values(dsp, held):
    fixed = made(lambda path, V, I: (path.ge(I, 0), interpolated(path, V)))
    result = prove(fixed, held=held, dsp=dsp, progress=False)
    assert result.ok, str(result)
    assert result.methods["all values of an address"] == 1


def test_an_interval_that_a_table_leaves_at_few_of_16_million_addresses_is_seen():
    def build(path, V, I):
        return path.ge(I, 0), interpolated(path, V, high=30_000)

    result = prove(made(build), progress=False)
    assert result.failures == ["table may leave [-30100, 30000]"]
    assert result.counterexample is None  # gates and model leave it alike


def test_a_next_state_beyond_what_its_register_holds_is_a_failure():
    def build(path, V, I):
        return path.ge(I, 0), path.add(V, I)

    result = prove(made(build), progress=False)
    assert any("the next V may be in" in failure for failure in result.failures)


# -- deep datapaths --------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_datapath_deeper_than_pythons_stack_is_built_and_proved():
    def build(path, V, I):
        x = V
        for k in range(700):
            x = path.clamp(path.add(x, I, 1 if k % 3 else -1), LOW, HIGH)
        return path.ge(x, 3), x

    fixed = made(build)
    result = prove(fixed, held=True, progress=False)
    assert result.ok, str(result)
    assert result.registers > 1000


def test_algebra_is_not_deeper_than_pythons_stack():
    path = algebra_path = made(single).lowered.path
    a = algebra_path.inputs["I"]
    total = a
    for _ in range(5000):
        total = path.add(total, a, -1)
    forms = {}
    assert algebra.bounded_by_linear_form(total, forms)
    assert not algebra.bounded_by_linear_form(path.within(total, total.low, 0), forms)


def test_a_sum_of_very_many_terms_is_not_said_to_be_bounded_by_itself():
    path = made(single).lowered.path
    nodes = [path.input(f"x{k}", 0, 1, 0) for k in range(600)]
    total = nodes[0]
    for node in nodes[1:]:
        total = path.add(total, node)
    tight = path.within(total, 0, 599)
    forms = {}
    assert algebra.bounded_by_linear_form(total, forms)
    assert not algebra.bounded_by_linear_form(tight, forms)
    assert not algebra.bounded_by_linear_form(tight, forms)  # nor when asked again


# -- time ------------------------------------------------------------------------------------------
def test_a_proof_that_ran_out_of_time_is_undecided_and_not_failed(monkeypatch):
    monkeypatch.setattr(Solver, "_ask", lambda *_: Result.UNKNOWN)
    result = prove(made(single), progress=False)
    assert not result.ok
    assert not result.failures
    assert all("may" in claim for claim in result.undecided)
    assert "UNDECIDED" in str(result)
    assert "time ran out" in str(result)
    assert result.figures()["undecided"] == result.undecided
    assert result.figures()["ok"] is False


def test_what_the_solver_refutes_is_a_failure_and_not_undecided(monkeypatch):
    monkeypatch.setattr(Solver, "_ask", lambda *_: Result.SAT)
    result = prove(made(single), progress=False)
    assert result.failures
    assert not result.undecided
    assert "NOT PROVED" in str(result)


def test_time_may_run_out_on_the_way_to_an_answer(monkeypatch):
    """What counts is whether it is proved with more to know."""
    answers = iter([Result.UNKNOWN])
    monkeypatch.setattr(Solver, "_ask", lambda *_: next(answers, Result.UNSAT))
    assert prove(made(single), progress=False).ok


def test_a_difference_that_trying_finds_is_a_failure_though_time_ran_out(monkeypatch):
    monkeypatch.setattr(Solver, "_ask", lambda *_: Result.UNKNOWN)
    fixed = made(twice)
    result = prove(fixed, step=bent(fixed), progress=False)
    assert result.counterexample
    assert result.failures
    assert "NOT PROVED" in str(result)
    assert asdict(result)["undecided"]


def test_a_counterexample_keeps_to_what_the_registers_can_hold(monkeypatch):
    """Of an input that a question is not about the solver says 0, which may be out of reach."""
    fixed = make_neuron("lif").fixed()
    low, high = (getattr(fixed.lowered.registers["V"], end) for end in ("low", "high"))
    assert high < 0
    seen = []

    def compare(_, *args, vectors=None, **options):
        seen.append(vectors)
        return vector_parity(fixed, 1, progress=False)

    monkeypatch.setattr(prover, "vector_parity", compare)
    prover._counterexample(fixed, None, [{"V": 0, "I": 5}, {"I": 7}])
    assert np.all((seen[0]["V"] >= low) & (seen[0]["V"] <= high))
    assert seen[0]["I"].tolist() == [5, 7]
