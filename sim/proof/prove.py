"""The proof: register by register, for all states and inputs, with a solver for each step.

Let X be the value that the integer model gives each node of the datapath. It is shown, in order:

1. The datapath in adders computes what the lowered datapath does (by algebra: ``algebra.py``).
2. Every X lies in its node's interval, and a state's next in that of its register: by interval
   arithmetic; for functions of one value by computing all of them; otherwise by the solver
   (``intervals.py``).
3. Every register of the elaborated RTL, as yosys writes it, next holds the X it is there for, if
   the registers before it hold theirs (by the solver: ``registers.py``, ``stages.py``). So the
   pipeline keeps its values apart, and after ``latency`` clocks the outputs are the model's. A
   register that yosys merged with another is that one; of bits that nothing reads, or that yosys
   made constant, there is no register, and nothing is claimed or used.

The solver is given the model as bit-vectors (``model.py``), made by the evaluator that runs it on
integers, and of it as much as it takes (``solver.py``). The rows of a memory are compared one by
one with the table's, and are any function of the address from there on.

Of a program, the first and the third are others: its instructions are followed one by one
(``microcode/``), and the gates are shown to do what each of them says
(``invariants/microcoded.py``).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from itertools import chain
from typing import cast

import numpy as np
from bitwuzla import Result, TermManager

from ...compiler.datapath import Node
from ...compiler.lowered import Lowered
from ...compiler.pipeline.cells import Pipeline
from ...compiler.pipeline.cells import pipeline as pipelined
from ...compiler.pipeline.schedule import Schedule
from ...fixed import FixedNeuron, need_fixed
from ...hdl import Form, Microcoded, Step
from ...tools.progress import progress as bar
from ...tools.toolchain import find_tools
from ...words import WORD_BITS
from ..compare.vectors import vector_parity
from .algebra import same_function
from .elaborate import as_smt2, elaborated
from .intervals import Intervals
from .invariants.microcoded import microcoded, microcoded_reset
from .invariants.solver import check
from .microcode import faults
from .model import Model
from .registers import Goal, Registers
from .report import Proof
from .smt2 import Rtl
from .solver import Claim, Solver
from .stages import Stages

__all__ = ["Proof", "prove"]


def prove(
    fixed: FixedNeuron,
    form: Form | None = None,
    *,
    held: bool | None = None,
    dsp: bool | int | None = None,
    timeout: float = 600.0,
    progress: bool = True,
    step: Step | Microcoded | None = None,
) -> Proof:
    """Prove that the gates of a neuron's datapath compute what the integer model computes.

    Parameters
    ----------
    fixed : FixedNeuron
    form : Form, optional
        Of the datapath; pipelined by default, with as many multipliers as it wants.
    held, dsp
        The same by keywords; see :class:`~scneuro.hdl.Step`.
    timeout : float
        Seconds the solver may take for one question.
    progress : bool
    step : Step or Microcoded, optional
        The gates, if not those generated from ``fixed``.

    Raises
    ------
    ToolError
        If yosys is missing or fails.
    ValueError, TypeError
        A timeout that is none, or something else than an integer model.
    """
    need_fixed(fixed, "prove()")
    if not 0 < timeout < math.inf:
        raise ValueError(f"timeout must be a positive number of seconds, not {timeout:g}")
    form = Form.of(form, held=held, dsp=dsp)
    proof = Proof(fixed.name, str(form))
    find_tools(("yosys",))  # its first use compiles it, which is no part of the proof
    begin = time.monotonic()
    if form.microcode:
        machine = cast(Microcoded, step or Microcoded(fixed, form))
        _show_program(fixed, machine, proof, timeout, progress)
        proof.seconds = time.monotonic() - begin
        return proof
    gates = cast(Step, step or Step(fixed.lowered, form))
    suspects = _show(fixed, gates, proof, timeout, progress)
    if not proof.ok:
        proof.counterexample = _counterexample(fixed, gates, suspects)
        if proof.counterexample and not proof.failures:
            proof.failures.append("gates and model differ, though the solver had no time to say so")
    proof.seconds = time.monotonic() - begin
    return proof


def _show(
    fixed: FixedNeuron, step: Step, proof: Proof, timeout: float, progress: bool
) -> list[dict[str, int]]:
    """Show all there is to show, note in ``proof`` what became of it, and return suspect inputs."""
    lowered, pipeline = fixed.lowered, step.pipeline
    model = Model(TermManager(), pipeline)
    rtl = Rtl(as_smt2(elaborated(step)), "top", model.terms, model.row)
    registers, stages = Registers(model, rtl, lowered), Stages(model)
    asking = _Asking(model, proof, timeout)
    _cover(fixed, proof)
    proof.failures += _other_rows(pipeline, rtl)
    proof.failures += _other_operations(pipeline.schedule, lowered)
    proof.failures += _too_far(pipeline.schedule, lowered)
    for claim in chain(stages.passing(), registers.keeping()):
        asking.ask(claim)
    goals: list[Node | Goal] = [*pipeline.schedule.nodes, *registers.goals()]
    for goal in bar(goals, f"{fixed.name}: proof", wanted=progress):
        if isinstance(goal, Goal):
            asking.ask(registers.claim(goal, stages))
            proof.registers += 1
        else:
            asking.inside(goal)
    return asking.solver.suspects


def _show_program(
    fixed: FixedNeuron, gates: Microcoded, proof: Proof, timeout: float, progress: bool
) -> None:
    """Show that a program computes the datapath, and that the gates run it."""
    _cover(fixed, proof)
    found, values = faults(gates.program)
    proof.failures += found
    proof.methods["algebra"] = values
    # that a value has digits enough: as it is of the same operations in adders
    pipeline = pipelined(fixed.lowered, Form(held=True))
    asking = _Asking(Model(TermManager(), pipeline), proof, timeout)
    proof.failures += _other_operations(pipeline.schedule, fixed.lowered)
    proof.failures += _too_far(pipeline.schedule, fixed.lowered)
    proof.failures += _wider(pipeline.schedule, fixed.lowered)
    for node in bar(pipeline.schedule.nodes, f"{fixed.name}: proof", wanted=progress):
        asking.inside(node)
    for make in (microcoded, microcoded_reset):
        harness = make(gates, fixed)
        for name, rows in (("code", gates.program.words), ("memory", gates.program.memory)):
            if list(harness.part("dut", name).init) != list(rows):
                proof.failures.append(f"the memory {name} does not hold the program's")
        proof.registers = len(harness.registers())
        claims = check(harness)
        proof.failures += [f"{claim.name}: {claim.how}" for claim in claims if not claim.ok]
        proof.methods["induction"] = proof.methods.get("induction", 0) + len(claims)


def _cover(fixed: FixedNeuron, proof: Proof) -> None:
    """Note what states and inputs there are."""
    lowered = fixed.lowered
    proof.states = math.prod(r.high - r.low + 1 for r in lowered.registers.values())
    proof.inputs = 1 << (WORD_BITS * (len(lowered.inputs) + len(lowered.noise)))


class _Asking:
    """The solver, and a proof that notes what became of what it was asked."""

    def __init__(self, model: Model, proof: Proof, timeout: float) -> None:
        self._proof = proof
        self._intervals, self.solver = Intervals(model), Solver(model, timeout)

    def ask(self, claim: Claim) -> None:
        match self.solver.answer(claim):
            case Result.UNSAT:
                self._settle("solver")
            case Result.SAT:
                self._proof.failures.append(claim.otherwise)
            case _:
                self._proof.undecided.append(claim.otherwise)

    def inside(self, node: Node) -> None:
        """Ask whether a value stays in its interval."""
        if method := self._intervals.method(node):
            self._settle(method)
        elif isinstance(asked := self._intervals.claim(node), Claim):
            self.ask(asked)
        else:
            self._proof.failures.append(asked)
        self._proof.values += 1

    def _settle(self, method: str) -> None:
        self._proof.methods[method] = self._proof.methods.get(method, 0) + 1


def _other_rows(pipeline: Pipeline, rtl: Rtl) -> Iterator[str]:
    """The memories whose contents are not their tables'."""
    for name, node in pipeline.memories.items():
        mask = (1 << node.width) - 1
        rows = [rtl.memories.get(name, {}).get(a) for a in range(len(node.meta))]
        if rows != [row & mask for row in node.meta]:
            yield f"the memory {name} does not hold its table"


def _other_operations(plan: Schedule, lowered: Lowered) -> Iterator[str]:
    """The nodes of the lowered datapath that their adders do not compute."""
    new, path = plan.expanded, lowered.path
    for node in path.reachable((*path.outputs.values(), *lowered.words.values())):
        if node.op in ("input", "const"):
            same = (new[node.index].op, new[node.index].meta) == (node.op, node.meta)
        else:
            same = same_function(node, new[node.index], (new[a.index] for a in node.args))
        if not same:
            yield f"{node.name} and its adders differ"


def _wider(plan: Schedule, lowered: Lowered) -> Iterator[str]:
    """The nodes of the lowered datapath whose interval is not that of the same in adders."""
    for node in lowered.path.reachable():
        new = plan.expanded[node.index]
        if new.low < node.low or new.high > node.high:
            yield f"{node.name} may leave [{node.low}, {node.high}]"


def _too_far(plan: Schedule, lowered: Lowered) -> Iterator[str]:
    """The states whose next value, by its interval, may be one that no register holds."""
    for name, node in plan.outputs.items():
        register = lowered.registers.get(name)
        if register is not None and (node.low < register.low or node.high > register.high):
            yield (
                f"the next {name} may be in [{node.low}, {node.high}], beyond what its "
                f"register is said to hold, [{register.low}, {register.high}]"
            )


def _counterexample(
    fixed: FixedNeuron, step: Step, suspects: list[dict[str, int]]
) -> dict[str, dict[str, int]] | None:
    """A state and an input on which gates and model give different answers, by trying."""
    inputs = fixed.lowered.path.inputs
    if suspects:
        vectors = {
            # of an input that a question is not about, the solver says anything
            name: np.clip([s.get(name, 0) for s in suspects], node.low, node.high)
            for name, node in inputs.items()
        }
        result = vector_parity(fixed, vectors=vectors, step=step, progress=False)
        if not result.ok:
            return result.first
    return vector_parity(fixed, 2000, step=step, progress=False).first
