"""What a stage of the pipeline computes: a node's value, of what registers keep for that stage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bitwuzla import Kind

from ...compiler.datapath import Node
from ...compiler.pipeline.cells import Cell, place
from .bits import Integer, bits_of
from .model import Model
from .solver import Claim

__all__ = ["Stages"]


class Stages:
    """The stages of a model's pipeline."""

    def __init__(self, model: Model) -> None:
        self._model, self._pipeline = model, model.pipeline
        self._kept = {
            (cell.node.index, cell.stage): cell
            for cell in self._pipeline.cells
            if cell.is_register or cell.kind == "port"
        }

    def computed(self, node: Node, stage: int) -> tuple[Any, list[Node]]:
        """The value of ``node`` in terms of what is kept at ``stage``, and the nodes it takes."""
        model, plan = self._model, self._pipeline.schedule
        known: dict[int, Any] = {}
        taken: list[Node] = []
        stack = [node]

        def note(part: Node, value: Any) -> None:
            known[part.index] = value
            taken.append(part)
            stack.pop()

        while stack:
            part = stack[-1]
            if part.index in known:
                stack.pop()
            elif part.op == "input":
                note(part, model.value(part))
            elif (cell := self._kept.get(place(plan, part, stage))) is not None:
                source = self._source(cell)
                if source is None:
                    note(part, model.value(part))
                elif source.index in known:
                    note(part, self._joined(part, known[source.index], cell.low))
                else:
                    stack.append(source)
            elif missing := [arg for arg in part.args if arg.index not in known]:
                stack.extend(reversed(missing))
            else:
                note(part, model.in_gates(part, *(known[arg.index] for arg in part.args)))
        return known[node.index], taken

    def passing(self) -> Iterator[Claim]:
        """That the low bits that a register leaves to another are those of its value."""
        terms = self._model.terms
        for cell in self._pipeline.registers:
            if (source := self._source(cell)) is not None:
                sort = terms.mk_bv_sort(cell.low)
                sides = [bits_of(terms, self._model.value(n), sort, 0) for n in (cell.node, source)]
                same = terms.mk_term(Kind.EQUAL, sides)
                yield Claim(same, [cell.node], f"{cell.name} lacks other bits than {source.name}")

    def _source(self, cell: Cell) -> Node | None:
        """The value whose low bits are those that a register leaves out; None if it has all."""
        return self._pipeline.cells[cell.takes[-1]].node if cell.low else None

    def _joined(self, node: Node, low: Any, bits: int) -> Integer:
        """X of a sum, its low bits written as those of the argument that they are."""
        terms = self._model.terms
        high = bits_of(terms, self._model.value(node), terms.mk_bv_sort(node.width - bits), bits)
        parts = [high, bits_of(terms, low, terms.mk_bv_sort(bits), 0)]
        return self._model.integer(terms.mk_term(Kind.BV_CONCAT, parts), node)
