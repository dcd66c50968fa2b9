"""Registers: that each next holds the value it is there for, if those before it hold theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from bitwuzla import Kind, Term

from ...compiler.datapath import Node
from ...compiler.lowered import Lowered
from ...compiler.pipeline.cells import Cell
from ...stochastic import LFSR
from .bits import Integer, bits_of, complement, concatenated, part
from .model import Model
from .smt2 import Piece, Rtl
from .solver import Claim
from .stages import Stages

__all__ = ["Goal", "Registers"]

#: A wire's name, the node whose value it holds, in which stages, without how many low bits, and
#: whether it holds the complement.
Wire: TypeAlias = tuple[str, Node, range, int, bool]

#: Bits of the RTL, and the lowest bit of the value that they are.
Made: TypeAlias = tuple[Term, int]


class Atoms(dict[str, Term]):
    """Terms by symbol, made when they are asked for."""

    def __init__(self, make: Callable[[str], Term]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, symbol: str) -> Term:
        self[symbol] = self._make(symbol)
        return self[symbol]


@dataclass(frozen=True)
class Goal:
    """What is to hold a value.

    Attributes
    ----------
    name : str
        The register or the port.
    node : Node
        Whose value.
    stage : int
        That it is made from.
    make : callable
        From what the symbols hold there to what the RTL makes of it.
    """

    name: str
    node: Node
    stage: int
    make: Callable[[Atoms], list[Made]]


class Registers:
    """What the registers and ports of the RTL hold, and what becomes of it.

    Attributes
    ----------
    rtl : Rtl
    wires : list of Wire
        The registers, from stage 1 on, and the ports, which the first stage is made of.
    holds : dict of str to list of (range, Piece, Term)
        By symbol: stages, bits, and the value they have.
    """

    def __init__(self, model: Model, rtl: Rtl, lowered: Lowered) -> None:
        self.rtl, self._model, self._terms, self._lowered = rtl, model, model.terms, lowered
        self._pipeline, self._plan = model.pipeline, model.pipeline.schedule
        phases = rtl.pieces("enable") if "enable" in rtl else []
        self._phases = phases[0].symbol if phases else None
        self._free: dict[str, Term] = {}
        self._atoms: dict[int, Atoms] = {}
        self._equal: dict[int, tuple[Term, ...]] = {}
        self.wires = list(self._wires())
        self.holds: dict[str, list[tuple[range, Piece, Term]]] = {}
        self._hold()

    # -- what is to be shown -----------------------------------------------------------------
    def goals(self) -> Iterator[Goal]:
        """Every register, output, word and value that waits."""
        for cell in self._pipeline.registers:
            name = cell.signal
            if name in self.rtl and self.rtl.pieces(name):
                yield Goal(name, cell.node, cell.stage - 1, partial(self._following, cell))
        plan = self._plan
        for name, node in plan.outputs.items():
            yield self._port(name if name == "spike" else f"next.{name}", node, plan.at[name])
        for name, node in plan.words.items():
            yield self._port(f"words.{name}", node, 0)
        for wait in self._pipeline.waits:
            source, entering = (self._pipeline.cells[k] for k in (wait.source, wait.port))
            yield self._port(f"waiting.{entering.name}", entering.node, source.stage)

    def claim(self, goal: Goal, stages: Stages) -> Claim:
        """That what the RTL makes is what the stage computes."""
        wanted, taken = stages.computed(goal.node, goal.stage)
        if goal.stage not in self._atoms:
            self._atoms[goal.stage] = Atoms(partial(self._atom, goal.stage))
        same = [
            self._terms.mk_term(
                Kind.EQUAL, [term, bits_of(self._terms, wanted, term.sort(), first)]
            )
            for term, first in goal.make(self._atoms[goal.stage])
        ]
        claim = self._terms.mk_term(Kind.AND, same) if same[1:] else same[0]
        otherwise = f"{goal.name} may differ from {goal.node.name}"
        return Claim(claim, taken, otherwise, self._merged(goal.stage))

    def keeping(self) -> Iterator[Claim]:
        """That a register keeps what it has in clocks that are not for its stage."""
        terms, atoms = self._terms, Atoms(self._any)
        for cell in self._pipeline.registers if self._phases else ():
            if cell.shared:
                continue
            for piece in self.rtl.pieces(cell.signal) if cell.signal in self.rtl else ():
                kept = self.rtl.following(piece.symbol, atoms)
                same = terms.mk_term(Kind.EQUAL, [kept, atoms[piece.symbol]])
                bit = self._pipeline.enabled_in(cell)
                off = terms.mk_bv_value(terms.mk_bv_sort(1), 0)
                phase = part(terms, atoms[str(self._phases)], bit, 1)
                given = (terms.mk_term(Kind.EQUAL, [phase, off]),)
                yield Claim(same, [], f"{cell.signal} may change while it is to hold", given)

    def _port(self, name: str, node: Node, stage: int) -> Goal:
        return Goal(name, node, stage, lambda atoms: [(self.rtl.wire(name, atoms), 0)])

    def _following(self, cell: Cell, atoms: Atoms) -> list[Made]:
        """What the bits of a register's value become, a piece at a time."""
        found = []
        for piece in self.rtl.pieces(cell.signal):
            term = self.rtl.following(piece.symbol, atoms)
            bits = part(self._terms, term, piece.first, piece.width)
            bits = complement(self._terms, bits) if cell.inverted else bits
            found.append((bits, piece.place + cell.low))
        return found

    # -- what is held ------------------------------------------------------------------------
    def _wires(self) -> Iterator[Wire]:
        """What is stored comes in any stage."""
        for cell in self._pipeline.registers:
            yield cell.signal, cell.node, self._stages(cell), cell.low, cell.inverted
        if self._pipeline.form.stored:
            for cell in self._pipeline.ports:
                yield f"ports.{cell.name}", cell.node, self._stages(cell), 0, False
            return
        inputs, first = self._plan.path.inputs, self._from(0)
        for name in self._lowered.registers:
            yield f"state.{name}", inputs[name], first, 0, False
        for name in self._lowered.inputs:
            yield f"inputs.{name}", inputs[name], first, 0, False

    def _stages(self, cell: Cell) -> range:
        """Those that find the value of a cell: what a unit has that is shared is there for one."""
        if cell.shared:
            return range(cell.stage, cell.stage + 1)
        return self._from(cell.stage)

    def _from(self, stage: int) -> range:
        """The stages that find what is kept at one; else it belongs to other inputs."""
        form = self._pipeline.form
        return range(stage, self._pipeline.latency + 1 if form.held else stage + form.interval)

    def _hold(self) -> None:
        """Note which values the registers and ports hold at which stages."""
        for name, node, stages, low, inverted in self.wires:
            if name in self.rtl:
                self._give(name, self._model.value(node), stages, low, inverted)
        if not self._pipeline.form.stored and self._lowered.noise and "noise" in self.rtl:
            values = [self._model.value(self._plan.path.inputs[n]) for n in self._lowered.noise]
            whole = concatenated(self._terms, [value.low(LFSR.DRAW) for value in values])
            self._give("noise", Integer(self._terms, whole), self._from(0), 0)

    def _give(self, name: str, value: Any, stages: range, low: int, inverted: bool = False) -> None:
        """Give the symbols of a wire a value's bits from ``low`` up, or their complements."""
        for piece in self.rtl.pieces(name):
            boolean = self.rtl.sort(piece.symbol).is_bool()
            sort = self._terms.mk_bool_sort() if boolean else self._terms.mk_bv_sort(piece.width)
            bits = bits_of(self._terms, value, sort, piece.place + low)
            bits = complement(self._terms, bits) if inverted else bits
            self.holds.setdefault(piece.symbol, []).append((stages, piece, bits))

    def _atom(self, stage: int, symbol: str) -> Term:
        """What a symbol holds for what ``stage`` computes: bits of values, and others of any."""
        if symbol == self._phases:
            every = self._pipeline.form.interval
            return self._terms.mk_bv_value(self.rtl.sort(symbol), 1 << stage % every)
        held = [(p, v) for stages, p, v in self.holds.get(symbol, ()) if stage in stages]
        place, width = 0, self.rtl.width(symbol)
        parts: list[Term] = []  # from the lowest
        while place < width:
            after = [p.first for p, _ in held if p.first > place]
            end, first, value = min(after, default=width), 0, self._any(symbol)
            for piece, bits in held:
                if piece.first <= place < piece.first + piece.width:
                    end, first, value = piece.first + piece.width, piece.first, bits
            parts.append(part(self._terms, value, place - first, end - place))
            place = end
        return concatenated(self._terms, parts)

    def _merged(self, stage: int) -> tuple[Term, ...]:
        """That values which one register holds at once are equal, as far as it holds them."""
        if stage not in self._equal:
            equal = []
            for held in self.holds.values():
                there = [(p, v) for stages, p, v in held if stage in stages]
                one, value = there[0] if there else held[0][1:]
                for piece, other in there[1:]:
                    first = max(one.first, piece.first)
                    width = min(one.first + one.width, piece.first + piece.width) - first
                    if width > 0:
                        parts = [
                            part(self._terms, value, first - one.first, width),
                            part(self._terms, other, first - piece.first, width),
                        ]
                        equal.append(self._terms.mk_term(Kind.EQUAL, parts))
            self._equal[stage] = tuple(equal)
        return self._equal[stage]

    def _any(self, symbol: str) -> Term:
        if symbol not in self._free:
            self._free[symbol] = self._terms.mk_const(self.rtl.sort(symbol), f"{symbol}@")
        return self._free[symbol]
