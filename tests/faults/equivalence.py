"""That a fault in the lowering is none: both datapaths compute the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
from bitwuzla import Bitwuzla, Kind, Option, Options, Result, TermManager

from scneuro.compiler.datapath import ARRAYS, Node
from scneuro.fixed import FixedNeuron
from scneuro.sim.proof.bits import Integer, bitvectors

from .nodes import roots_of

_CHUNK = 1 << 20


def same_function(a: FixedNeuron, b: FixedNeuron, changed: int | None = None) -> str:
    """That two datapaths compute the same for all registers, inputs and draws; "" if not shown.

    ``changed`` is the index of the node of ``a`` that differs in ``b``, if it is one.
    """
    if a.lowered.registers != b.lowered.registers or a.lowered.inputs != b.lowered.inputs:
        return ""
    terms = TermManager()
    tables: dict[Any, Any] = {}

    def row(node: Node, address: Integer) -> Integer:
        bits = (len(node.meta) - 1).bit_length()
        at, held = terms.mk_bv_sort(bits), terms.mk_bv_sort(node.width + 1)
        if node.meta not in tables:
            tables[node.meta] = terms.mk_const(terms.mk_fun_sort([at], held), "rom")
            for k, value in enumerate(node.meta):
                read = [tables[node.meta], terms.mk_bv_value(at, k)]
                same = [terms.mk_term(Kind.APPLY, read), terms.mk_bv_value(held, value)]
                solver.assert_formula(terms.mk_term(Kind.EQUAL, same))
        return Integer(terms, terms.mk_term(Kind.APPLY, [tables[node.meta], address.low(bits)]))

    options = Options()
    options.set(Option.TIME_LIMIT_PER, 20_000)
    solver = Bitwuzla(terms, options)
    given = {}
    for name, node in a.lowered.path.inputs.items():
        given[name] = Integer(terms, terms.mk_const(terms.mk_bv_sort(node.width + 1), name))
        solver.assert_formula(given[name] >= node.low)
        solver.assert_formula(terms.mk_term(Kind.NOT, [given[name] >= node.high + 1]))

    def proved(pick: Callable[[FixedNeuron], dict[str, Node]]) -> bool:
        one, other = (
            fixed.lowered.path.evaluator(pick(fixed), bitvectors(terms, row))(given)
            for fixed in (a, b)
        )
        for name, value in one.items():
            same = (
                value.equals(other[name])
                if isinstance(value, Integer)
                else terms.mk_term(Kind.EQUAL, [value, other[name]])
            )
            solver.push(1)
            solver.assert_formula(terms.mk_term(Kind.NOT, [same]))
            shown = solver.check_sat() == Result.UNSAT
            solver.pop(1)
            if not shown:
                return False
        return True

    def everything(fixed: FixedNeuron) -> dict[str, Node]:
        lowered = fixed.lowered
        return lowered.path.outputs | {f"word of {n}": w for n, w in lowered.words.items()}

    nodes = [fixed.lowered.path.reachable(roots_of(fixed.lowered)) for fixed in (a, b)]
    place = next((k for k, n in enumerate(nodes[0]) if n.index == changed), None)
    if place is not None and len(nodes[0]) == len(nodes[1]):
        of = {id(fixed): some[place] for fixed, some in zip((a, b), nodes, strict=True)}
        if proved(lambda fixed: {"node": of[id(fixed)]}):
            return "bitwuzla: the node has the same value for all registers and inputs"
        if name := _same_of_one_input(*zip((a, b), nodes, strict=True), place):
            return (
                f"all values of {name}: what leaves the part that depends on it alone is the same"
            )
    if proved(everything):
        return "bitwuzla: both datapaths compute the same for all registers and inputs"
    return ""


def _same_of_one_input(
    one: tuple[FixedNeuron, list[Node]], other: tuple[FixedNeuron, list[Node]], place: int
) -> str:
    """The one input that a changed node depends on, if none of its values shows the change.

    What depends on that input alone is computed for all of its values; "" if that differs where
    others take it, or if there is more than one input.
    """
    (a, nodes), (b, again) = one, other
    support: dict[int, frozenset[str]] = {}
    for n in nodes:
        own = frozenset((n.meta,)) if n.op == "input" else frozenset()
        support[n.index] = own.union(*(support[arg.index] for arg in n.args))
    if len(support[nodes[place].index]) != 1:
        return ""
    (name,) = support[nodes[place].index]
    taken = {r.index for r in roots_of(a.lowered)}
    taken |= {arg.index for n in nodes if support[n.index] != {name} for arg in n.args}
    leaving = [k for k, n in enumerate(nodes) if support[n.index] == {name} and n.index in taken]
    source = a.lowered.path.inputs[name]
    for begin in range(source.low, source.high + 1, _CHUNK):
        values = {name: np.arange(begin, min(begin + _CHUNK, source.high + 1))}
        found = [
            fixed.lowered.path.evaluator({str(k): some[k] for k in leaving}, ARRAYS)(values)
            for fixed, some in ((a, nodes), (b, again))
        ]
        if any(np.any(found[0][str(k)] != found[1][str(k)]) for k in leaving):
            return ""
    return name
