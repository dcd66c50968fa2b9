"""What is claimed of a spike: the states that it sets to a constant hold it afterwards."""

from __future__ import annotations

import time
from typing import Any

from bitwuzla import Bitwuzla, Kind, Options, Result, TermManager

from ....fixed import FixedNeuron
from ....words import nearest
from ..bits import Integer, bitvectors
from .solver import Invariant

__all__ = ["resets"]


def resets(fixed: FixedNeuron) -> list[Invariant]:
    """After a spike, the states that ``update()`` then sets to a constant hold it.

    Proved of the lowered datapath, for all registers, inputs and draws, by bitwuzla; that the gates
    compute the datapath is what :func:`~scneuro.sim.proof.prove` shows. The rows of a table are
    any.
    """
    lowered, results = fixed.lowered, []
    spike, *updates = lowered.roots
    for register, update in zip(lowered.registers.values(), updates, strict=True):
        if update.op != "where" or update.args[0] is not spike or update.args[1].op != "const":
            continue
        begin = time.monotonic()
        value = float(update.args[1].value)
        wanted = min(max(nearest(value, register.fraction), register.low), register.high)
        terms = TermManager()

        def row(node: Any, _: Integer, terms: TermManager = terms) -> Integer:
            return Integer(terms, terms.mk_const(terms.mk_bv_sort(node.width + 1), node.name))

        path = lowered.path
        given = {
            name: Integer(terms, terms.mk_const(terms.mk_bv_sort(node.width + 1), name))
            for name, node in path.inputs.items()
        }
        outputs = {name: path.outputs[name] for name in ("spike", register.name)}
        made = path.evaluator(outputs, bitvectors(terms, row))(given)
        solver = Bitwuzla(terms, Options())
        for name, node in path.inputs.items():
            solver.assert_formula(given[name] >= node.low)
            solver.assert_formula(terms.mk_term(Kind.NOT, [given[name] >= node.high + 1]))
        solver.assert_formula(made["spike"])
        possible = solver.check_sat() == Result.SAT
        same = made[register.name].equals(wanted)
        solver.assert_formula(terms.mk_term(Kind.NOT, [same]))
        held = solver.check_sat() == Result.UNSAT
        results.append(
            Invariant(
                f"{fixed.name}, reset of {register.name}",
                f"after a spike {register.name} is {value:g}, the register {wanted}",
                possible and held,
                time.monotonic() - begin,
                "bitwuzla" if possible else "there is no spike",
            )
        )
    return results
