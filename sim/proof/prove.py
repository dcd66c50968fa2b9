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
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from itertools import chain

import numpy as np
from bitwuzla import Result, TermManager

from ...compiler.datapath import Node
from ...compiler.lowered import Lowered
from ...compiler.pipeline.cells import Pipeline
from ...compiler.pipeline.schedule import Schedule
from ...fixed import FixedNeuron, need_fixed
from ...hdl import Form, Step
from ...tools.progress import progress as bar
from ...tools.toolchain import find_tools
from ...words import WORD_BITS
from ..compare.vectors import vector_parity
from .algebra import same_function
from .elaborate import as_smt2, elaborated
from .intervals import Intervals
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
    step: Step | None = None,
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
    step : Step, optional
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
    gates = step or Step(fixed.lowered, form)
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
    intervals, solver = Intervals(model), Solver(model, timeout)

    def settle(method: str) -> None:
        proof.methods[method] = proof.methods.get(method, 0) + 1

    def ask(claim: Claim) -> None:
        match solver.answer(claim):
            case Result.UNSAT:
                settle("solver")
            case Result.SAT:
                proof.failures.append(claim.otherwise)
            case _:
                proof.undecided.append(claim.otherwise)

    proof.states = math.prod(r.high - r.low + 1 for r in lowered.registers.values())
    proof.inputs = 1 << (WORD_BITS * (len(lowered.inputs) + len(lowered.noise)))
    proof.failures += _other_rows(pipeline, rtl)
    proof.failures += _other_operations(pipeline.schedule, lowered)
    proof.failures += _too_far(pipeline.schedule, lowered)
    for claim in chain(stages.passing(), registers.keeping()):
        ask(claim)
    goals: list[Node | Goal] = [*pipeline.schedule.nodes, *registers.goals()]
    for goal in bar(goals, f"{fixed.name}: proof", wanted=progress):
        if isinstance(goal, Goal):
            ask(registers.claim(goal, stages))
            proof.registers += 1
            continue
        if method := intervals.method(goal):
            settle(method)
        elif isinstance(asked := intervals.claim(goal), Claim):
            ask(asked)
        else:
            proof.failures.append(asked)
        proof.values += 1
    return solver.suspects


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
