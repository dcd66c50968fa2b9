"""The proof: register by register, for all states and inputs, with a solver for each step.

Let X be the value that the integer model gives each node of the datapath. It is shown, in order:

1. The datapath in adders computes what the lowered datapath does (by algebra).
2. Every X lies in its node's interval, and a state's next in that of its register: by interval
   arithmetic; for functions of one value by computing all of them; otherwise by the solver.
3. Every register of the elaborated RTL, as yosys writes it, next holds the X it is there for, if
   the registers before it hold theirs (by the solver). So the pipeline keeps its values apart,
   and after ``latency`` clocks the outputs are the model's. A register that yosys merged with
   another is that one; of bits that nothing reads, or that yosys made constant, there is no
   register, and nothing is claimed or used.

The solver is given the model as bit-vectors, made by the evaluator that runs it on integers. The
rows of a memory are compared one by one with the table's, and are any function of the address from
there on.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
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
from ...compiler.pipeline.cells import Cell, place
from ...fixed import FixedNeuron, need_fixed
from ...hdl import Form, Step
from ...stochastic import LFSR
from ...tools.toolchain import find_tools, run_yosys
from ...words import WORD_BITS
from ..compare.vectors import vector_parity
from .algebra import (
    Linear,
    bounded_by_arithmetic,
    bounded_by_linear_form,
    exhaustive_interval,
    same_function,
)
from .bits import Integer, bitvectors
from .smt2 import Piece, Rtl

__all__ = ["Proof", "prove"]

_CONDITIONS = ("ge", "not", "and", "or")
_DEPTHS = (0, 1, 3, 8, 1000)
_WORD = 1 << 16
_FAR = 12  # operations between a table and the sum that it ends in
_MOST = 1 << 24  # values of an address that are all computed
_SCRIPT = """read_rtlil top.il
hierarchy -top top
proc -norom
flatten
memory_collect
memory_nordff
dffunmap
opt_clean
write_smt2 -wires top.smt2
"""


#: A wire's name, the node whose value it holds, in which stages, without how many low bits, and
#: whether it holds the complement.
Wire: TypeAlias = tuple[str, Node, range, int, bool]

#: What is to hold a value, the node, the stage it is made from, and what the RTL makes of it.
Goal: TypeAlias = tuple[str, Node, int, "Callable[[_Atoms], list[_Made]]"]


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
        What does not hold, or cannot be proved from what the solver is given.
    undecided : list of str
        What the solver had no time to decide: it may well hold.
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
    undecided: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.failures and not self.undecided

    def figures(self) -> dict[str, Any]:
        """Everything as plain data, for JSON."""
        return {**vars(self), "ok": self.ok}

    def __str__(self) -> str:
        verdict = "proved" if self.ok else "NOT PROVED" if self.failures else "UNDECIDED"
        how = ", ".join(f"{count} by {name}" for name, count in self.methods.items() if count)
        lines = [
            f"{self.neuron}, {self.form}: {verdict} for all 2^{math.log2(self.states):.4g} states "
            f"and 2^{math.log2(self.inputs):.4g} inputs in {self.seconds:.1f} s",
            f"  {self.registers} registers hold the model's values; {self.values} values stay in "
            f"their intervals ({how})",
        ]
        lines += [f"  FAIL  {failure}" for failure in self.failures]
        lines += [f"  time ran out: {claim}" for claim in self.undecided]
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
    prover = _Prover(fixed, gates, proof, timeout)
    prover.run(progress)
    if not proof.ok:
        proof.counterexample = _counterexample(fixed, gates, prover.suspects)
        if proof.counterexample and not proof.failures:
            proof.failures.append("gates and model differ, though the solver had no time to say so")
    proof.seconds = time.monotonic() - begin
    return proof


def elaborated(step: Step) -> str:
    """The RTLIL of a Step."""
    ports = {}
    for path, member, value in step.signature.flatten(step):
        direction = PortDirection.Input if member.flow == In else PortDirection.Output
        signal = value.as_value() if hasattr(value, "as_value") else value
        ports["__".join(map(str, path))] = (signal, direction)
    text, _ = rtlil.convert_fragment(
        Fragment.get(step, None), ports=ports, name="top", emit_src=False
    )
    return str(text)


def _smt2(text: str) -> str:
    """Elaborated RTL as SMT-LIB, by yosys."""
    yosys = find_tools(("yosys",))["yosys"].command
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "top.il").write_text(text)
        run_yosys(yosys, _SCRIPT, work)
        return (work / "top.smt2").read_text()


class _Atoms(dict[str, Term]):
    """Terms by symbol, made when they are asked for."""

    def __init__(self, make: Callable[[str], Term]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, symbol: str) -> Term:
        self[symbol] = self._make(symbol)
        return self[symbol]


#: Bits of the RTL, and the lowest bit of the value that they are.
_Made: TypeAlias = tuple[Term, int]


class _Prover:
    def __init__(self, fixed: FixedNeuron, step: Step, proof: Proof, timeout: float) -> None:
        self.fixed, self.lowered, self.step, self.proof = fixed, fixed.lowered, step, proof
        self.timeout = timeout
        self.terms = TermManager()
        self.pipeline, self.plan = step.pipeline, step.pipeline.schedule
        self.nodes = self.plan.nodes
        self.by_index = {node.index: node for node in self.nodes}
        self.values: dict[int, Any] = {}  # the variable X of every node, by index
        self.defined: dict[int, Term] = {}  # what X is of the nodes before it
        self.roms: dict[tuple[int, ...], Term] = {}  # by contents
        self.suspects: list[dict[str, int]] = []
        self.arithmetic = bitvectors(self.terms, self._row)
        self.forms: dict[int, Linear] = {}
        self.bases: dict[int, dict[int, Node | None]] = {}
        self.stages: dict[int, _Atoms] = {}
        self.holds: dict[
            str, list[tuple[range, Piece, Term]]
        ] = {}  # by symbol: stages, bits, value
        self.free: dict[str, Term] = {}
        self.equal: dict[int, list[Term]] = {}

    def run(self, progress: bool) -> None:
        self.rtl = Rtl(_smt2(elaborated(self.step)), "top", self.terms, self._rtl_row)
        self.kept = {
            (cell.node.index, cell.stage): cell
            for cell in self.pipeline.cells
            if cell.is_register or cell.kind == "port"
        }
        phases = self.rtl.pieces("enable") if "enable" in self.rtl else []
        self.phases = phases[0].symbol if phases else None
        self.wires = list(self._wires())
        self._hold()
        proof = self.proof
        registers = self.lowered.registers.values()
        proof.states = math.prod(r.high - r.low + 1 for r in registers)
        proof.inputs = 1 << (16 * (len(self.lowered.inputs) + len(self.lowered.noise)))
        self._memories()
        self._expansion()
        self._registers_suffice()
        self._passes()
        self._held()
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
        new = self.plan.expanded
        for node in self.lowered.path.reachable(
            (*self.lowered.path.outputs.values(), *self.lowered.words.values())
        ):
            if node.op in ("input", "const"):
                same = (new[node.index].op, new[node.index].meta) == (node.op, node.meta)
            else:
                same = same_function(node, new[node.index], (new[a.index] for a in node.args))
            if not same:
                self.proof.failures.append(f"{node.name} and its adders differ")

    def _registers_suffice(self) -> None:
        """Whether every state's next value, by its interval, is one that its register holds."""
        for name, node in self.plan.outputs.items():
            register = self.lowered.registers.get(name)
            if register is None:
                continue
            if node.low < register.low or node.high > register.high:
                self.proof.failures.append(
                    f"the next {name} may be in [{node.low}, {node.high}], beyond what its "
                    f"register is said to hold, [{register.low}, {register.high}]"
                )

    def _memories(self) -> None:
        for name, node in self.pipeline.memories.items():
            mask = (1 << node.width) - 1
            rows = [self.rtl.memories.get(name, {}).get(a) for a in range(len(node.meta))]
            if rows != [row & mask for row in node.meta]:
                self.proof.failures.append(f"the memory {name} does not hold its table")

    def _function(self, node: Node) -> Term:
        """The table of a node, as a function of its address of which nothing else is known."""
        if node.meta not in self.roms:
            sorts = [self.terms.mk_bv_sort(_address_bits(node))]
            result = self.terms.mk_bv_sort(node.width)
            self.roms[node.meta] = self.terms.mk_const(
                self.terms.mk_fun_sort(sorts, result), node.name
            )
        return self.roms[node.meta]

    def _rtl_row(self, memory: str, address: Term) -> Term:
        return self.terms.mk_term(
            Kind.APPLY, [self._function(self.pipeline.memories[memory]), address]
        )

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
        elif bounded_by_linear_form(node, self.forms):
            self._settled("linear form")
        elif self._all_values(node, _WORD):
            self._settled("all values of a word")
        elif self._reads_table(node) and self._all_values(node, _MOST):
            self._settled("all values of an address")
        # from what is before the node alone: its own interval is what is to be shown
        elif node.op in _CONDITIONS:
            self.proof.failures.append(f"{node.name} may leave [{node.low}, {node.high}]")
        else:
            inside = self._inside(self._apply(node), node)
            self._show(inside, list(node.args), f"{node.name} may leave [{node.low}, {node.high}]")

    def _all_values(self, node: Node, most: int) -> bool:
        return exhaustive_interval(node, most, self.bases.setdefault(most, {}))

    def _reads_table(self, node: Node) -> bool:
        """Whether a table is not far behind a node: to the solver it is any function."""
        return any(n.op == "rom" for n in _behind([node], _FAR))

    def _inside(self, value: Any, node: Node) -> Term:
        above = value >= node.low
        below = self.terms.mk_term(Kind.NOT, [value >= node.high + 1])
        return self.terms.mk_term(Kind.AND, [above, below])

    # -- 3: registers ------------------------------------------------------------------------
    def _wires(self) -> Iterator[Wire]:
        """The registers, from stage 1 on, and the ports, which the first stage is made of.

        What is stored comes in any stage.
        """
        for cell in self.pipeline.registers:
            yield cell.signal, cell.node, self._stages(cell), cell.low, cell.inverted
        if self.pipeline.form.stored:
            for cell in self.pipeline.ports:
                yield f"ports.{cell.name}", cell.node, self._stages(cell), 0, False
            return
        inputs, first = self.plan.path.inputs, self._from(0)
        for name in self.lowered.registers:
            yield f"state.{name}", inputs[name], first, 0, False
        for name in self.lowered.inputs:
            yield f"inputs.{name}", inputs[name], first, 0, False

    def _stages(self, cell: Cell) -> range:
        """Those that find the value of a cell: what a unit has that is shared is there for one."""
        if cell.shared:
            return range(cell.stage, cell.stage + 1)
        return self._from(cell.stage)

    def _from(self, stage: int) -> range:
        """The stages that find what is kept at one; else it belongs to other inputs."""
        form = self.pipeline.form
        return range(stage, self.pipeline.latency + 1 if form.held else stage + form.interval)

    def _goals(self) -> Iterator[Goal]:
        for cell in self.pipeline.registers:
            name = cell.signal
            if name in self.rtl and self.rtl.pieces(name):
                make = partial(self._following, cell)
                yield name, cell.node, cell.stage - 1, make
        plan = self.plan
        outputs = [(n if n == "spike" else f"next.{n}", n) for n in plan.outputs]
        for port, name in outputs:
            yield port, plan.outputs[name], plan.at[name], partial(self._port, port)
        for name, node in plan.words.items():
            yield f"words.{name}", node, 0, partial(self._port, f"words.{name}")
        for wait in self.pipeline.waits:
            source, entering = (self.pipeline.cells[k] for k in (wait.source, wait.port))
            port = f"waiting.{entering.name}"
            yield port, entering.node, source.stage, partial(self._port, port)

    def _following(self, cell: Cell, atoms: _Atoms) -> list[_Made]:
        """What the bits of a register's value become, a piece at a time."""
        found = []
        for piece in self.rtl.pieces(cell.signal):
            term = self.rtl.following(piece.symbol, atoms)
            part = _part(self.terms, term, piece.first, piece.width)
            part = _complement(self.terms, part) if cell.inverted else part
            found.append((part, piece.place + cell.low))
        return found

    def _held(self) -> None:
        """That a register keeps what it has in clocks that are not for its stage."""
        atoms = _Atoms(self._any)
        for cell in self.pipeline.registers if self.phases else ():
            if cell.shared:
                continue
            for piece in self.rtl.pieces(cell.signal) if cell.signal in self.rtl else ():
                kept = self.rtl.following(piece.symbol, atoms)
                same = self.terms.mk_term(Kind.EQUAL, [kept, atoms[piece.symbol]])
                bit = self.pipeline.enabled_in(cell)
                off = self.terms.mk_bv_value(self.terms.mk_bv_sort(1), 0)
                phase = _part(self.terms, atoms[str(self.phases)], bit, 1)
                given = [self.terms.mk_term(Kind.EQUAL, [phase, off])]
                self._show(same, [], f"{cell.signal} may change while it is to hold", given)

    def _port(self, name: str, atoms: _Atoms) -> list[_Made]:
        return [(self.rtl.wire(name, atoms), 0)]

    def _register(
        self, what: str, node: Node, stage: int, make: Callable[[_Atoms], list[_Made]]
    ) -> None:
        known: dict[int, Any] = {}
        wanted = self._model(node, stage, known)
        same = [
            self.terms.mk_term(Kind.EQUAL, [term, _bits(self.terms, wanted, term.sort(), first)])
            for term, first in make(self._atoms(stage))
        ]
        claim = self.terms.mk_term(Kind.AND, same) if same[1:] else same[0]
        about = [self.by_index[index] for index in known]
        self._show(claim, about, f"{what} may differ from {node.name}", self._merged(stage))

    def _atoms(self, stage: int) -> _Atoms:
        """What the RTL's registers and ports hold for what ``stage`` computes."""
        if stage not in self.stages:
            self.stages[stage] = _Atoms(partial(self._atom, stage))
        return self.stages[stage]

    def _atom(self, stage: int, symbol: str) -> Term:
        """What a symbol holds for what ``stage`` computes: bits of values, and others of any."""
        if symbol == self.phases:
            every = self.pipeline.form.interval
            return self.terms.mk_bv_value(self.rtl.sort(symbol), 1 << stage % every)
        held = [(p, v) for stages, p, v in self.holds.get(symbol, ()) if stage in stages]
        place, width = 0, self.rtl.width(symbol)
        parts: list[Term] = []  # from the lowest
        while place < width:
            after = [p.first for p, _ in held if p.first > place]
            end, first, value = min(after, default=width), 0, self._any(symbol)
            for piece, bits in held:
                if piece.first <= place < piece.first + piece.width:
                    end, first, value = piece.first + piece.width, piece.first, bits
            parts.append(_part(self.terms, value, place - first, end - place))
            place = end
        return self.terms.mk_term(Kind.BV_CONCAT, parts[::-1]) if parts[1:] else parts[0]

    def _merged(self, stage: int) -> list[Term]:
        """That values which one register holds at once are equal, as far as it holds them."""
        if stage not in self.equal:
            self.equal[stage] = []
            for held in self.holds.values():
                there = [(p, v) for stages, p, v in held if stage in stages]
                one, value = there[0] if there else held[0][1:]
                for piece, other in there[1:]:
                    first = max(one.first, piece.first)
                    width = min(one.first + one.width, piece.first + piece.width) - first
                    if width > 0:
                        parts = [
                            _part(self.terms, value, first - one.first, width),
                            _part(self.terms, other, first - piece.first, width),
                        ]
                        self.equal[stage].append(self.terms.mk_term(Kind.EQUAL, parts))
        return self.equal[stage]

    def _any(self, symbol: str) -> Term:
        if symbol not in self.free:
            self.free[symbol] = self.terms.mk_const(self.rtl.sort(symbol), f"{symbol}@")
        return self.free[symbol]

    def _hold(self) -> None:
        """Note which values the registers and ports hold at which stages."""
        for name, node, stages, low, inverted in self.wires:
            if name in self.rtl:
                self._give(name, self._value(node), stages, low, inverted)
        if not self.pipeline.form.stored and self.lowered.noise and "noise" in self.rtl:
            values = [self._value(self.plan.path.inputs[name]) for name in self.lowered.noise]
            draws = [value.low(LFSR.DRAW) for value in values]
            whole = self.terms.mk_term(Kind.BV_CONCAT, draws[::-1]) if draws[1:] else draws[0]
            self._give("noise", Integer(self.terms, whole), self._from(0), 0)

    def _give(self, name: str, value: Any, stages: range, low: int, inverted: bool = False) -> None:
        """Give the symbols of a wire a value's bits from ``low`` up, or their complements."""
        for piece in self.rtl.pieces(name):
            boolean = self.rtl.sort(piece.symbol).is_bool()
            sort = self.terms.mk_bool_sort() if boolean else self.terms.mk_bv_sort(piece.width)
            bits = _bits(self.terms, value, sort, piece.place + low)
            bits = _complement(self.terms, bits) if inverted else bits
            self.holds.setdefault(piece.symbol, []).append((stages, piece, bits))

    def _model(self, node: Node, stage: int, known: dict[int, Any]) -> Any:
        """The value of ``node`` in terms of what is kept at ``stage``, by the model's evaluator.

        ``known`` is given the values of the nodes that it takes.
        """
        stack = [node]
        while stack:
            part = stack[-1]
            if part.index in known:
                stack.pop()
            elif part.op == "input":
                known[part.index] = self._value(part)
            elif (cell := self.kept.get(place(self.plan, part, stage))) is not None:
                source = self._source(cell)
                if source is None:
                    known[part.index] = self._value(part)
                elif source.index in known:
                    known[part.index] = self._joined(part, known[source.index], cell.low)
                else:
                    stack.append(source)
            elif missing := [arg for arg in part.args if arg.index not in known]:
                stack.extend(reversed(missing))
            else:
                args = [known[arg.index] for arg in part.args]
                if part.op == "mul":
                    made = self._product(part, *args)
                else:
                    made = self.arithmetic[part.op](part, *args)
                # a value lies in its interval (2), so it is what that many bits of it say: the
                # bits that the gates keep, which spares the solver the multiplications of others
                if isinstance(made, Integer) and made.width > _signed_bits(part):
                    made = self._integer(made.low(part.width), part)
                known[part.index] = made
        return known[node.index]

    def _source(self, cell: Cell) -> Node | None:
        """The value whose low bits are those that a register leaves out; None if it has all."""
        return self.pipeline.cells[cell.takes[-1]].node if cell.low else None

    def _joined(self, node: Node, low: Any, bits: int) -> Integer:
        """X of a sum, its low bits written as those of the argument that they are."""
        sort = self.terms.mk_bv_sort
        high = _bits(self.terms, self._value(node), sort(node.width - bits), bits)
        parts = [high, _bits(self.terms, low, sort(bits), 0)]
        return self._integer(self.terms.mk_term(Kind.BV_CONCAT, parts), node)

    def _passes(self) -> None:
        """That the low bits that a register leaves to another are those of its value."""
        for cell in self.pipeline.registers:
            if (source := self._source(cell)) is not None:
                sort = self.terms.mk_bv_sort(cell.low)
                sides = [_bits(self.terms, self._value(n), sort, 0) for n in (cell.node, source)]
                same = self.terms.mk_term(Kind.EQUAL, sides)
                self._show(same, [cell.node], f"{cell.name} lacks other bits than {source.name}")

    def _product(self, node: Node, a: Integer, b: Integer) -> Integer:
        """a * b in as many bits as the factors have together, which is what gates multiply in."""
        shared = node.index in self.plan.units
        if shared and not self.pipeline.form.multipliers:
            return self._in_rows(a.low(WORD_BITS), b.low(WORD_BITS), node)
        width = 2 * WORD_BITS if shared else sum(arg.width for arg in node.args)
        parts = []
        for arg, value in zip(node.args, (a, b), strict=True):
            kind = Kind.BV_SIGN_EXTEND if arg.signed else Kind.BV_ZERO_EXTEND
            parts.append(self.terms.mk_term(kind, [value.low(arg.width)], [width - arg.width]))
        product = Integer(self.terms, self.terms.mk_term(Kind.BV_MUL, parts))
        return self._integer(product.low(node.width), node)

    def _in_rows(self, a: Term, b: Term, node: Node) -> Integer:
        """a * b as it is defined: the sum of a, shifted, over the bits of b; its sign's less.

        The solver need not find out what the rows of a multiplier of logic are.
        """
        factor = Integer(self.terms, a)
        total = Integer.constant(self.terms, 0)
        low: list[Term] = []
        for k in range(WORD_BITS):
            bit = _part(self.terms, b, k, 1)
            sums = total - factor if k == WORD_BITS - 1 else total + factor
            sides = [value.extended(WORD_BITS + 1) for value in (sums, total)]
            row = self.terms.mk_term(Kind.ITE, [_is_one(self.terms, bit), *sides])
            low.append(_part(self.terms, row, 0, 1))
            total = Integer(self.terms, _part(self.terms, row, 1, WORD_BITS))
        product = self.terms.mk_term(Kind.BV_CONCAT, [total.term, *low[::-1]])
        return self._integer(Integer(self.terms, product).low(node.width), node)

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
    def _show(
        self, claim: Term, about: list[Node], failure: str, given: Sequence[Term] = ()
    ) -> None:
        """Show a claim by the solver, or note that it fails, or that time ran out."""
        result = self._holds(claim, about, given)
        if result == Result.UNSAT:
            self._settled("solver")
        elif result == Result.SAT:
            self.proof.failures.append(failure)
        else:
            self.proof.undecided.append(failure)

    def _holds(self, claim: Term, about: list[Node], given: Sequence[Term]) -> Result:
        """Whether ``claim`` holds, using as many definitions behind ``about`` as it takes.

        UNSAT if it does. Otherwise the answer with all there is to know: SAT if it does not
        follow, UNKNOWN if there was no time to tell.
        """
        before, result = -1, Result.UNKNOWN
        for depth in _DEPTHS:
            behind = _behind(about, depth)
            if len(behind) == before:  # all there is to know was known
                break
            before = len(behind)
            result = self._ask(claim, about, behind, given)
            if result == Result.UNSAT:
                break
        return result

    def _ask(
        self, claim: Term, about: list[Node], behind: list[Node], given: Sequence[Term]
    ) -> Result:
        options = Options()
        options.set(Option.PRODUCE_MODELS, True)
        options.set(Option.TIME_LIMIT_PER, int(1000 * self.timeout))
        solver = Bitwuzla(self.terms, options)
        solver.assert_formula(self.terms.mk_term(Kind.NOT, [claim]))
        for term in given:
            solver.assert_formula(term)
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


def _signed_bits(node: Node) -> int:
    """Bits of a node's value as a signed bit-vector."""
    return node.width + (not node.signed)


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
    return _is_one(terms, part) if boolean else part


def _is_one(terms: TermManager, bit: Term) -> Term:
    return terms.mk_term(Kind.EQUAL, [bit, terms.mk_bv_value(terms.mk_bv_sort(1), 1)])


def _complement(terms: TermManager, term: Term) -> Term:
    return terms.mk_term(Kind.NOT if term.sort().is_bool() else Kind.BV_NOT, [term])


def _part(terms: TermManager, term: Term, first: int, width: int) -> Term:
    """``width`` bits of a term, from ``first`` up."""
    if term.sort().is_bool() or width == int(term.sort().bv_size()):
        return term
    return terms.mk_term(Kind.BV_EXTRACT, [term], [first + width - 1, first])


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
            # of an input that a question is not about, the solver says anything
            name: np.clip([s.get(name, 0) for s in suspects], node.low, node.high)
            for name, node in inputs.items()
        }
        result = vector_parity(fixed, vectors=vectors, step=step, progress=False)
        if not result.ok:
            return result.first
    return vector_parity(fixed, 2000, step=step, progress=False).first
