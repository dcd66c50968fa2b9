"""Asking the solver: whether a claim follows from the model, using as little of it as it takes."""

from __future__ import annotations

from dataclasses import dataclass

from bitwuzla import Bitwuzla, Kind, Option, Options, Result, Term

from ...compiler.datapath import Node
from .bits import Integer
from .model import CONDITIONS, Model, before

__all__ = ["Claim", "Solver"]

_DEPTHS = (0, 1, 3, 8, 1000)


@dataclass(frozen=True)
class Claim:
    """What is to be shown.

    Attributes
    ----------
    term : Term
    about : list of Node
        The values that it is of; their intervals, and the definitions behind them, are known.
    otherwise : str
        What is said if it does not follow.
    given : tuple of Term
        What is known besides.
    """

    term: Term
    about: list[Node]
    otherwise: str
    given: tuple[Term, ...] = ()


class Solver:
    """Answers claims about a model.

    Attributes
    ----------
    suspects : list of dict of str to int
        Inputs on which some claim does not hold, as far as was known when it was asked.
    """

    def __init__(self, model: Model, timeout: float) -> None:
        self._model, self._timeout = model, timeout
        self.suspects: list[dict[str, int]] = []

    def answer(self, claim: Claim) -> Result:
        """Whether a claim holds, using as many definitions behind it as it takes.

        UNSAT if it does. Otherwise the answer with all there is to know: SAT if it does not
        follow, UNKNOWN if there was no time to tell.
        """
        known, result = -1, Result.UNKNOWN
        for depth in _DEPTHS:
            behind = before(claim.about, depth)
            if len(behind) == known:  # all there is to know was known
                break
            known = len(behind)
            result = self._ask(claim, behind)
            if result == Result.UNSAT:
                break
        return result

    def _ask(self, claim: Claim, behind: list[Node]) -> Result:
        model = self._model
        options = Options()
        options.set(Option.PRODUCE_MODELS, True)
        options.set(Option.TIME_LIMIT_PER, int(1000 * self._timeout))
        solver = Bitwuzla(model.terms, options)
        solver.assert_formula(model.terms.mk_term(Kind.NOT, [claim.term]))
        for term in claim.given:
            solver.assert_formula(term)
        arguments = (arg for node in behind for arg in node.args)
        for node in {n.index: n for n in (*claim.about, *behind, *arguments)}.values():
            if node.op not in CONDITIONS:
                solver.assert_formula(model.inside(model.value(node), node))
        for node in behind:
            if node.op != "input":
                solver.assert_formula(model.definition(node))
        result = solver.check_sat()
        if result == Result.SAT:
            self.suspects.append(
                {
                    node.meta: _number(solver, model.value(node))
                    for node in model.pipeline.schedule.nodes
                    if node.op == "input" and node.index in model.values
                }
            )
        return result


def _number(solver: Bitwuzla, value: Integer) -> int:
    number = int(solver.get_value(value.term).value(10))
    return number - (1 << value.width) if number >> (value.width - 1) else number
