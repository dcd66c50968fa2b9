"""The proof: register by register, for all states and inputs, with a solver for each step.

Let X be the value that the integer model gives each node of the datapath. It is shown, in order:

1. The datapath in adders computes what the lowered datapath does (by algebra).
2. Every X lies in its node's interval: by interval arithmetic; for functions of one word by
   computing all of their at most 65,536 values; otherwise by the solver.
3. Every register of the elaborated RTL, as yosys writes it, next holds the X it is there for, if
   the registers before it hold theirs (by the solver). So the pipeline keeps its values apart,
   and after ``latency`` clocks the outputs are the model's.

The solver is given the model as bit-vectors, made by the evaluator that runs it on integers. The
rows of a memory are compared one by one with the table's, and are any function of the address from
there on.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from amaranth.back import rtlil
from amaranth.hdl import Fragment
from amaranth.hdl._ir import PortDirection
from amaranth.lib.wiring import In
from bitwuzla import Bitwuzla, Kind, Option, Options, Result, Sort, Term, TermManager
from tqdm import tqdm

from ...compiler.datapath import Node
from ...fixed import FixedNeuron
from ...hdl import Form, Step
from ...stochastic import LFSR
from ...tools.toolchain import find_tools, run_yosys
from ..compare.vectors import vector_parity
from .algebra import (
    bounded_by_arithmetic,
    bounded_by_linear_form,
    exhaustive_interval,
    same_function,
)
from .bits import Integer, bitvectors
from .smt2 import Rtl

__all__ = ["Proof", "prove"]

_CONDITIONS = ("ge", "not", "and", "or")
_DEPTHS = (0, 1, 3, 8, 1000)
_SCRIPT = """read_rtlil top.il
hierarchy -top top
proc -norom
flatten
memory_collect
memory_nordff
opt_clean
write_smt2 -wires top.smt2
"""


Goal: TypeAlias = tuple[str, Callable[[dict[str, Term]], Term], Node, int, int]


@dataclass
class Proof:
    """What was proved of a neuron's datapath.

    Attributes
    ----------
    neuron : str
    form : str
        ``pipelined`` or ``held``, in DSPs or in logic.
    registers : int
        Registers of the RTL that were shown to hold what they should.
    values : int
        Values of the datapath that were shown to stay in their intervals.
    methods : dict of str to int
        How many of these each method settled.
    states, inputs : int
        How many the proof covers: all that the registers can reach, and all input words and draws.
    seconds : float
    failures : list of str
        What could not be proved.
    counterexample : dict or None
        ``inputs`` (state registers, input words and draws), ``model`` and ``hardware``.
    """

    neuron: str
    form: str
    registers: int = 0
    values: int = 0
    methods: dict[str, int] = field(default_factory=dict)
    states: int = 1
    inputs: int = 1
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    counterexample: dict[str, dict[str, int]] | None = None

    @property
    def ok(self) -> bool:
        return not self.failures

    def figures(self) -> dict[str, Any]:
        """Everything as plain data, for JSON."""
        return {**vars(self), "ok": self.ok}

    def __str__(self) -> str:
        verdict = "proved" if self.ok else "NOT PROVED"
        how = ", ".join(f"{count} by {name}" for name, count in self.methods.items() if count)
        lines = [
            f"{self.neuron}, {self.form}: {verdict} for all 2^{math.log2(self.states):.4g} states "
            f"and 2^{math.log2(self.inputs):.4g} inputs in {self.seconds:.1f} s",
            f"  {self.registers} registers hold the model's values; {self.values} values stay in "
            f"their intervals ({how})",
        ]
        lines += [f"  FAIL  {failure}" for failure in self.failures]
        if self.counterexample:
            for name, values in self.counterexample.items():
                lines.append(f"  {name:9s} " + ", ".join(f"{n} = {v}" for n, v in values.items()))
        return "\n".join(lines)

    def as_test(self) -> str:
        """The counterexample as a pytest case to paste; empty without one."""
        if not self.counterexample:
            return ""
        given = ", ".join(f"{n!r}: {v}" for n, v in self.counterexample["inputs"].items())
        return (
            f"def test_counterexample_of_{self.neuron.lower()}(neuron):\n"
            "    from scneuro.sim import vector_parity\n"
            f"    vector = {{{given}}}\n"
            f"    result = vector_parity(neuron.fixed(), vectors={{n: [v] for n, v in "
            "vector.items()}, progress=False)\n"
            "    assert result.ok, result.first\n"
        )


def prove(
    fixed: FixedNeuron,
    form: Form | None = None,
    *,
    held: bool | None = None,
    dsp: bool | int | None = None,
    timeout: float = 60.0,
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
    """
    form = Form.of(form, held=held, dsp=dsp)
    proof = Proof(fixed.name, str(form))
    begin = time.monotonic()
    gates = step or Step(fixed.lowered, form)
    prover = _Prover(fixed, gates, proof, timeout)
    prover.run(progress)
    if proof.failures:
        proof.counterexample = _counterexample(fixed, gates, prover.suspects)
    proof.seconds = time.monotonic() - begin
    return proof


def elaborated(step: Step) -> tuple[str, Any]:
    """The RTLIL of a Step, and the names of its signals there."""
    ports = {}
    for path, member, value in step.signature.flatten(step):
        direction = PortDirection.Input if member.flow == In else PortDirection.Output
        signal = value.as_value() if hasattr(value, "as_value") else value
        ports["__".join(map(str, path))] = (signal, direction)
    text, names = rtlil.convert_fragment(
        Fragment.get(step, None), ports=ports, name="top", emit_src=False
    )
    return text, names


def _smt2(text: str) -> str:
    """Elaborated RTL as SMT-LIB, by yosys."""
    yosys = find_tools(("yosys",))["yosys"].command
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "top.il").write_text(text)
        run_yosys(yosys, _SCRIPT, work)
        return (work / "top.smt2").read_text()


class _Prover:
    def __init__(self, fixed: FixedNeuron, step: Step, proof: Proof, timeout: float) -> None:
        self.fixed, self.lowered, self.step, self.proof = fixed, fixed.lowered, step, proof
        self.timeout = timeout
        self.terms = TermManager()
        self.path = step.path
        self.nodes = self.path.reachable((*step.outputs.values(), *step.word_nodes.values()))
        self.values: dict[int, Any] = {}  # the variable X of every node, by index
        self.defined: dict[int, Term] = {}  # what X is of the nodes before it
        self.roms: dict[str, Term] = {}
        self.suspects: list[dict[str, int]] = []
        self.arithmetic = bitvectors(self.terms, self._row)

    def run(self, progress: bool) -> None:
        text, names = elaborated(self.step)
        self.names = names
        self.rtl = Rtl(_smt2(text), "top", self.terms, self._rtl_row)
        self.kept = {(kept.node.index, kept.stage) for kept in self.step.kept}
        proof = self.proof
        registers = self.lowered.registers.values()
        proof.states = math.prod(r.high - r.low + 1 for r in registers)
        proof.inputs = 1 << (16 * (len(self.lowered.inputs) + len(self.lowered.noise)))
        self._memories()
        self._expansion()
        goals = [*self.nodes, *self._goals()]
        for goal in tqdm(
            goals,
            desc=f"{self.fixed.name}: proof",
            delay=2,
            leave=False,
            disable=None if progress else True,
        ):
            if isinstance(goal, Node):
                self._bounded(goal)
                proof.values += 1
            else:
                self._register(*goal)
                proof.registers += 1

    def _settled(self, method: str) -> None:
        self.proof.methods[method] = self.proof.methods.get(method, 0) + 1

    # -- 1: the datapath in adders, and the tables -------------------------------------------
    def _expansion(self) -> None:
        new = self.step.expanded
        for node in self.lowered.path.reachable(
            (*self.lowered.path.outputs.values(), *self.lowered.words.values())
        ):
            if node.op in ("input", "const"):
                same = (new[node.index].op, new[node.index].meta) == (node.op, node.meta)
            else:
                same = same_function(node, new[node.index], (new[a.index] for a in node.args))
            if not same:
                self.proof.failures.append(f"{node.name} and its adders differ")

    def _memories(self) -> None:
        for name, node in self.step.memories.items():
            mask = (1 << node.width) - 1
            rows = [self.rtl.memories.get(name, {}).get(a) for a in range(len(node.meta))]
            if rows != [row & mask for row in node.meta]:
                self.proof.failures.append(f"the memory {name} does not hold its table")

    def _function(self, node: Node) -> Term:
        """The table of a node, as a function of its address of which nothing else is known."""
        if node.name not in self.roms:
            sorts = [self.terms.mk_bv_sort(_address_bits(node))]
            result = self.terms.mk_bv_sort(node.width)
            self.roms[node.name] = self.terms.mk_const(
                self.terms.mk_fun_sort(sorts, result), node.name
            )
        return self.roms[node.name]

    def _rtl_row(self, memory: str, address: Term) -> Term:
        return self.terms.mk_term(Kind.APPLY, [self._function(self.step.memories[memory]), address])

    def _row(self, node: Node, address: Integer) -> Integer:
        row = self.terms.mk_term(
            Kind.APPLY, [self._function(node), address.low(_address_bits(node))]
        )
        return self._integer(row, node)

    def _integer(self, term: Term, node: Node) -> Integer:
        """The integer in the bits of a signal for ``node``."""
        if node.signed:
            return Integer(self.terms, term)
        zero = self.terms.mk_bv_value(self.terms.mk_bv_sort(1), 0)
        return Integer(self.terms, self.terms.mk_term(Kind.BV_CONCAT, [zero, term]))

    # -- 2: intervals ------------------------------------------------------------------------
    def _bounded(self, node: Node) -> None:
        if bounded_by_arithmetic(node):
            self._settled("interval arithmetic")
        elif bounded_by_linear_form(node):
            self._settled("linear form")
        elif exhaustive_interval(node):
            self._settled("all values of a word")
        # from what is before the node alone: its own interval is what is to be shown
        elif node.op not in _CONDITIONS and self._holds(
            self._inside(self._apply(node), node), list(node.args)
        ):
            self._settled("solver")
        else:
            self.proof.failures.append(f"{node.name} may leave [{node.low}, {node.high}]")

    def _inside(self, value: Any, node: Node) -> Term:
        above = value >= node.low
        below = self.terms.mk_term(Kind.NOT, [value >= node.high + 1])
        return self.terms.mk_term(Kind.AND, [above, below])

    # -- 3: registers ------------------------------------------------------------------------
    def _goals(self) -> Iterator[Goal]:
        """(what, the RTL's term for it, node, the stage it is made from, bits dropped)."""
        for kept in self.step.kept:
            name = self.names[kept.signal][-1]
            symbols = self.rtl.pieces(name)
            following = self.rtl.following(symbols)
            yield name, partial(self.rtl.term, following), kept.node, kept.stage - 1, kept.dropped
        last = self.step.latency
        for state in self.lowered.registers:
            for port, node, stage in (
                (f"next.{state}", self.step.outputs[state], last),
                (f"words.{state}", self.step.word_nodes[state], 0),
            ):
                yield port, partial(self.rtl.wire, port), node, stage, 0
        yield "spike", partial(self.rtl.wire, "spike"), self.step.outputs["spike"], last, 0

    def _register(
        self,
        what: str,
        value: Callable[[dict[str, Term]], Term],
        node: Node,
        stage: int,
        dropped: int,
    ) -> None:
        term = value(self._atoms(stage))
        known: dict[int, Any] = {}
        wanted = self._model(node, stage, known)
        made = _bits(self.terms, wanted, term.sort(), dropped)
        same = self.terms.mk_term(Kind.EQUAL, [term, made])
        if self._holds(same, [n for n in self.nodes if n.index in known]):
            self._settled("solver")
        else:
            self.proof.failures.append(f"{what} may differ from {node.name}")

    def _atoms(self, stage: int) -> dict[str, Term]:
        """What the RTL's registers and ports hold for what ``stage`` computes.

        Those of another stage hold what belongs to other inputs: anything.
        """
        atoms: dict[str, Term] = {}
        held = self.step.is_held
        for kept in self.step.kept:
            if kept.stage == stage or (held and kept.stage <= stage):
                self._pieces(atoms, self.names[kept.signal][-1], kept.node, kept.dropped)
        if stage == 0 or held:
            self._ports(atoms)
        for symbol in self.rtl.symbols:
            if symbol not in atoms:
                atoms[symbol] = self.terms.mk_const(self.rtl.sort(symbol), f"{symbol}@{stage}")
        return atoms

    def _ports(self, atoms: dict[str, Term]) -> None:
        lowered, inputs = self.lowered, self.step.path.inputs
        for name in lowered.registers:
            self._pieces(atoms, f"state.{name}", inputs[name], 0)
        for name in lowered.inputs:
            self._pieces(atoms, f"inputs.{name}", inputs[name], 0)
        if lowered.noise:
            draws = [self._value(inputs[name]).low(LFSR.DRAW) for name in lowered.noise]
            whole = self.terms.mk_term(Kind.BV_CONCAT, draws[::-1]) if draws[1:] else draws[0]
            self._give(atoms, "noise", Integer(self.terms, whole), 0)

    def _pieces(self, atoms: dict[str, Term], name: str, node: Node, dropped: int) -> None:
        self._give(atoms, name, self._value(node), dropped)

    def _give(self, atoms: dict[str, Term], name: str, value: Any, dropped: int) -> None:
        """Give the symbols of a wire the bits of a value they hold, from bit ``dropped`` up."""
        for symbol, place, _ in self.rtl.pieces(name):
            sort = self.rtl.sort(symbol)
            atoms[symbol] = _bits(self.terms, value, sort, place + dropped)

    def _model(self, node: Node, stage: int, known: dict[int, Any]) -> Any:
        """The value of ``node`` in terms of what is kept at ``stage``, by the model's evaluator."""
        if node.index not in known:
            if node.op == "input" or self.step.place(node, stage) in self.kept:
                known[node.index] = self._value(node)
            else:
                args = [self._model(arg, stage, known) for arg in node.args]
                known[node.index] = self.arithmetic[node.op](node, *args)
        return known[node.index]

    # -- the model as terms ------------------------------------------------------------------
    def _value(self, node: Node) -> Any:
        """X of a node: a Boolean, or an integer."""
        if node.index not in self.values:
            if node.op in _CONDITIONS:
                variable: Any = self.terms.mk_const(self.terms.mk_bool_sort(), node.name)
            else:
                sort = self.terms.mk_bv_sort(node.width)
                variable = self._integer(self.terms.mk_const(sort, node.name), node)
            self.values[node.index] = variable
        return self.values[node.index]

    def _apply(self, node: Node) -> Any:
        """The operation of a node on the X of its arguments."""
        return self.arithmetic[node.op](node, *(self._value(arg) for arg in node.args))

    def _definition(self, node: Node) -> Term:
        """X of a node is its operation on the X of its arguments."""
        if node.index not in self.defined:
            value, made = self._value(node), self._apply(node)
            self.defined[node.index] = (
                value.equals(made)
                if isinstance(value, Integer)
                else self.terms.mk_term(Kind.EQUAL, [value, made])
            )
        return self.defined[node.index]

    # -- asking ------------------------------------------------------------------------------
    def _holds(self, claim: Term, about: list[Node]) -> bool:
        """Whether ``claim`` holds, using as many definitions behind ``about`` as it takes."""
        before = -1
        for depth in _DEPTHS:
            behind = _behind(about, depth)
            if len(behind) == before:  # all there is to know was known
                break
            before = len(behind)
            result = self._ask(claim, about, behind)
            if result == Result.UNSAT:
                return True
        return False

    def _ask(self, claim: Term, about: list[Node], behind: list[Node]) -> Result:
        options = Options()
        options.set(Option.PRODUCE_MODELS, True)
        options.set(Option.TIME_LIMIT_PER, int(1000 * self.timeout))
        solver = Bitwuzla(self.terms, options)
        solver.assert_formula(self.terms.mk_term(Kind.NOT, [claim]))
        for node in {
            n.index: n for n in (*about, *behind, *(a for b in behind for a in b.args))
        }.values():
            if node.op not in _CONDITIONS:
                solver.assert_formula(self._inside(self._value(node), node))
        for node in behind:
            if node.op != "input":
                solver.assert_formula(self._definition(node))
        result = solver.check_sat()
        if result == Result.SAT:
            self.suspects.append(
                {
                    node.meta: _number(solver, self._value(node))
                    for node in self.nodes
                    if node.op == "input" and node.index in self.values
                }
            )
        return result


def _address_bits(node: Node) -> int:
    return max(1, (len(node.meta) - 1).bit_length())


def _behind(nodes: list[Node], depth: int) -> list[Node]:
    """The nodes whose definitions are used: up to ``depth`` operations before ``nodes``."""
    found: dict[int, Node] = {}
    border = list(nodes)
    for _ in range(depth):
        border = [n for n in border if n.index not in found]
        found.update({n.index: n for n in border})
        border = [arg for n in border for arg in n.args]
        if not border:
            break
    return sorted(found.values(), key=lambda n: -n.index)


def _bit(terms: TermManager, condition: Term) -> Term:
    sort = terms.mk_bv_sort(1)
    parts = [condition, terms.mk_bv_value(sort, 1), terms.mk_bv_value(sort, 0)]
    return terms.mk_term(Kind.ITE, parts)


def _bits(terms: TermManager, value: Any, sort: Sort, first: int) -> Term:
    """The bits of ``value`` from ``first`` up, as a term of a sort."""
    boolean = sort.is_bool()
    if not isinstance(value, Integer):
        return value if boolean else _bit(terms, value)
    last = first + (1 if boolean else int(sort.bv_size())) - 1
    whole = value.extended(max(value.width, last + 1))
    part = terms.mk_term(Kind.BV_EXTRACT, [whole], [last, first])
    if not boolean:
        return part
    return terms.mk_term(Kind.EQUAL, [part, terms.mk_bv_value(terms.mk_bv_sort(1), 1)])


def _number(solver: Bitwuzla, value: Any) -> int:
    width = value.width
    number = int(solver.get_value(value.term).value(10))
    return number - (1 << width) if number >> (width - 1) else number


def _counterexample(
    fixed: FixedNeuron, step: Step, suspects: list[dict[str, int]]
) -> dict[str, dict[str, int]] | None:
    """A state and an input on which gates and model give different answers, by trying."""
    inputs = fixed.lowered.path.inputs
    if suspects:
        vectors = {
            name: np.array([s.get(name, max(node.low, 0)) for s in suspects])
            for name, node in inputs.items()
        }
        result = vector_parity(fixed, vectors=vectors, step=step, progress=False)
        if not result.ok:
            return result.first
    return vector_parity(fixed, 2000, step=step, progress=False).first
