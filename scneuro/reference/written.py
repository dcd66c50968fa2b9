"""The differential equations that a user's own neuron says of itself, as strings."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import ScneuroError
from ..neuron import Neuron
from .derived import CURE, Limit
from .equations import Brian, Equations

__all__ = ["written"]

# fmt: off
_FUNCTIONS = (
    "abs", "clip", "cos", "cosh", "exp", "expm1", "log", "log1p", "maximum", "minimum", "sin",
    "sinh", "sqrt", "tan", "tanh", "where",
)
# fmt: on


def written(neuron: Neuron, others: Mapping[str, float]) -> Equations:
    """The equations that a neuron says of itself, in :attr:`~scneuro.Neuron.equations`.

    Parameters
    ----------
    neuron : Neuron
    others : mapping of str to float
        What its inputs but the first are held at.

    Raises
    ------
    ScneuroError
        A string that is no formula of its states, inputs and parameters.
    """
    if not isinstance(neuron.equations, Mapping):
        raise ScneuroError(
            f"{neuron.name}: equations must be strings by the name of a state, not "
            f"{neuron.equations!r}",
            CURE.format(neuron.state_names[0]),
        )
    slopes = dict(neuron.equations)
    spike, reset, hold = (slopes.pop(key, "") for key in ("spike", "reset", "refractory"))
    names, first = tuple(slopes), next(iter(neuron.input_defaults))
    for name in names:
        if name not in neuron.state_names:
            raise ScneuroError(
                f"{neuron.name}: equations has {name!r}, which is no state",
                f"it has an equation for each of {', '.join(neuron.state_names)}, 'spike', 'reset' "
                "and 'refractory'",
            )
    constants = {n: getattr(np, n) for n in _FUNCTIONS} | {"np": np, **neuron.parameters}
    constants |= {**neuron.input_defaults, **others}
    formulas = _Formulas(neuron.name, constants, (*names, first))
    code = [formulas.expression(name, text) for name, text in slopes.items()]

    def scope(current: Any, values: Any) -> dict[str, Any]:
        return {first: current, **dict(zip(names, values, strict=True))}

    def slope(p: Any, current: Any, *values: Any) -> tuple[Any, ...]:
        there = scope(current, values)
        return tuple(value(there) for value in code)

    if spike:
        condition = formulas.condition("spike", spike)
        leaves = formulas.assignments("reset", reset) if reset else None
        held = float(formulas.expression("refractory", hold)({})) if hold else 0.0
        brian = Brian(
            "\n".join(
                f"d{n}/dt = ({text})/ms : 1{' (unless refractory)' if hold else ''}"
                for n, text in slopes.items()
            ),
            spike,
            reset,
            f"({hold})*ms + dt" if hold else "False",
            first,
        )

        def after(p: Any, current: Any, *values: Any) -> tuple[Any, ...]:
            there = scope(current, values)
            assert leaves is not None
            leaves(there)
            return tuple(there[n] for n in names)

        return Equations(
            names,
            lambda p: tuple(p.initial[n] for n in names),
            slope,
            crossing=lambda p, current, *values: condition(scope(current, values)),
            brian=brian,
            reset=after if leaves else None,
            hold=lambda p: held,
            runaway=True,
        )
    limit = Limit(neuron, others)
    rest = {n: value for n, value in neuron.initial.items() if n not in names}

    def whole(values: Any) -> tuple[Any, ...]:
        there = {**rest, **dict(zip(names, values, strict=True))}
        return tuple(there[n] for n in neuron.state_names)

    def left(p: Any, current: Any, *values: Any) -> tuple[Any, ...]:
        there = limit.left(current, whole(values))
        return tuple(x for n, x in zip(neuron.state_names, there, strict=True) if n in names)

    order = [n for n in neuron.state_names if n in names]
    if list(names) != order:
        raise ScneuroError(
            f"{neuron.name}: equations are to be in the order of its states", ", ".join(order)
        )
    return Equations(
        names,
        lambda p: tuple(p.initial[n] for n in names),
        slope,
        crossing=lambda p, current, *values: limit.above(current, whole(values)),
        reset=left if limit.reset() else None,
        runaway=True,
    )


class _Formulas:
    """Strings of one neuron, as functions of its states and its first input by name."""

    def __init__(self, neuron: str, constants: Mapping[str, Any], names: tuple[str, ...]) -> None:
        self.neuron, self.constants, self.names = neuron, constants, names

    def _tree(self, key: str, text: str, mode: str) -> Any:
        try:
            tree = ast.parse(text.strip(), mode=mode)
        except SyntaxError:
            raise self._refusal(key, text, "is no formula") from None
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id not in {*self.constants, *self.names}:
                raise self._refusal(key, text, f"has {node.id}, which is no state or parameter")
        return tree

    def _refusal(self, key: str, text: str, what: str) -> ScneuroError:
        return ScneuroError(
            f"{self.neuron}: equations[{key!r}] = {text!r} {what}",
            "such as {'V': '(I - V) / tau', 'spike': 'V >= V_th', 'reset': 'V = 0; w += b'}",
        )

    def expression(self, key: str, text: str) -> Callable[[Mapping[str, Any]], Any]:
        """A number."""
        return self._function(self._tree(key, text, "eval").body)

    def _function(self, node: ast.expr) -> Callable[[Mapping[str, Any]], Any]:
        code = compile(ast.Expression(node), "equations", "eval")
        within = {"__builtins__": {}, **self.constants}
        return lambda there: eval(code, within, dict(there))

    def condition(self, key: str, text: str) -> Callable[[Mapping[str, Any]], Any]:
        """A condition, as a number that is above 0 where it holds."""
        return self._holds(self._tree(key, text, "eval").body, key, text)

    def _holds(self, node: ast.expr, key: str, text: str) -> Callable[[Mapping[str, Any]], Any]:
        match node:
            case ast.Compare(left, [ast.GtE() | ast.Gt()], [right]):
                more, less = self._function(left), self._function(right)
            case ast.Compare(left, [ast.LtE() | ast.Lt()], [right]):
                more, less = self._function(right), self._function(left)
            case ast.BoolOp(op, values):
                parts = [self._holds(value, key, text) for value in values]
                choose = min if isinstance(op, ast.And) else max
                return lambda there: choose(part(there) for part in parts)
            case _:
                raise self._refusal(key, text, "is no comparison")
        return lambda there: more(there) - less(there)

    def assignments(self, key: str, text: str) -> Callable[[dict[str, Any]], None]:
        """What changes values, in place."""
        steps: list[tuple[str, Callable[[Mapping[str, Any]], Any]]] = []
        for line in self._tree(key, text, "exec").body:
            match line:
                case ast.Assign([ast.Name(name)], value):
                    pass
                case ast.AugAssign(ast.Name(name), op, added):
                    value = ast.BinOp(ast.Name(name, ast.Load()), op, added)
                case _:
                    raise self._refusal(key, text, "is no assignment")
            if name not in self.names[:-1]:
                raise self._refusal(key, text, f"sets {name}, which has no equation")
            steps.append((name, self._function(ast.fix_missing_locations(value))))

        def run(there: dict[str, Any]) -> None:
            for name, value in steps:
                there[name] = value(there)

        return run
