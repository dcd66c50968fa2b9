"""The differential equations that a user's own ``update()`` integrates.

Where ``update()`` is explicit Euler, every state moves by dt times its slope, so the slope is what
it moves by over dt. That it is so is checked: with half the time step it must move half as far.
What a spike is, and what it leaves of the states, is what ``update()`` does as dt goes to 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from ..compiler.algebra.canonical import Canonical
from ..compiler.algebra.terms import Sum, Variable
from ..compiler.algebra.text import Equations as Text
from ..compiler.graph import LOGIC, PYTHON, Expr, Graph, ordered
from ..errors import LoweringError, ScneuroError
from ..neuron import Neuron
from .equations import Equations

__all__ = ["CURE", "Limit", "derived"]

#: What to do where there are none.
CURE = (
    "write its differential equations as strings, equations = {{{!r}: '...'}}, or compare with "
    "another simulator: --spikes FILE"
)
_SMALL = 1e-4  # of dt, to see where it goes as dt goes to 0
_SAMPLES = 200
_STEPS = 2_000
_SAME = 1e-7


def derived(neuron: Neuron, others: Mapping[str, float]) -> Equations:
    """The equations that ``update()`` integrates by explicit Euler.

    Parameters
    ----------
    neuron : Neuron
    others : mapping of str to float
        What its inputs but the first are held at.

    Raises
    ------
    ScneuroError
        If it does something else.
    """
    limit = Limit(neuron, others)
    limit.require_euler()
    names = neuron.state_names

    def slope(p: Any, current: Any, *values: Any) -> tuple[Any, ...]:
        after = limit.after(1.0, current, values, spike=False)
        return tuple((x - v) / neuron.dt for x, v in zip(after, values, strict=True))

    return Equations(
        names,
        lambda p: tuple(p.initial[n] for n in names),
        slope,
        crossing=lambda p, current, *values: limit.above(current, values),
        reset=(lambda p, current, *values: limit.left(current, values)) if limit.reset() else None,
        runaway=True,
        text=limit.text(),
    )


class Limit:
    """``update()`` with other time steps, spike or no spike, and where it leads as dt goes to 0."""

    def __init__(self, neuron: Neuron, others: Mapping[str, float]) -> None:
        self.neuron, self.others = neuron, others
        self.first = next(iter(neuron.input_defaults))
        self.roots = {1.0: neuron.graph}
        for share in (0.5, _SMALL, _SMALL / 2):
            self.roots[share] = _with_dt(neuron, share * neuron.dt).graph
        self.decided = {
            share: {spike: _decided(roots, spike) for spike in (False, True)}
            for share, roots in self.roots.items()
        }
        self.quick: dict[tuple[float, bool], Callable[[Mapping[str, Any]], tuple[Any, ...]]] = {}
        self.samples = self._samples()
        self.spike = [_Spike(self.roots[share][0]) for share in (_SMALL, _SMALL / 2)]
        self.rises = self._rises()

    def _variables(self, current: Any, values: Any) -> dict[str, Any]:
        states = dict(zip(self.neuron.state_names, values, strict=True))
        return {**states, **self.neuron.input_defaults, **self.others, self.first: current}

    def after(self, share: float, current: Any, values: Any, *, spike: bool) -> tuple[Any, ...]:
        """The states after a step of ``share`` dt that does, or does not, end in a spike."""
        variables = self._variables(current, values)
        roots, decided = self.roots[share][1:], self.decided[share][spike]
        if any(map(np.ndim, values)):
            return Graph.evaluate(roots, variables, decided)
        if (share, spike) not in self.quick:
            self.quick[share, spike] = _function(roots, decided)
        return self.quick[share, spike](variables)

    def left(self, current: Any, values: Any) -> tuple[Any, ...]:
        """The states that a spike leaves, as dt goes to 0."""
        whole, half = (self.after(s, current, values, spike=True) for s in (_SMALL, _SMALL / 2))
        return tuple(2 * h - w for w, h in zip(whole, half, strict=True))

    def above(self, current: Any, values: Any) -> Any:
        """What rises through 0 at a spike, as dt goes to 0."""
        variables = self._variables(current, values)
        whole, half = (spike.above(variables, self.rises) for spike in self.spike)
        return 2 * half - whole

    def _samples(self) -> tuple[Any, list[np.ndarray]]:
        """The first input, and states where the neuron works and around."""
        neuron = self.neuron
        current = neuron.currents[0]
        driven = {**self.others, self.first: np.full(_STEPS, current)}
        with np.errstate(all="ignore"):
            run = neuron.spec.make().run(**driven, progress=False)
        rng, states = np.random.default_rng(0), []
        picked = np.linspace(0, _STEPS - 1, _SAMPLES).astype(int)
        for name in neuron.state_names:
            visited = np.asarray(run.states[name])
            visited = visited[np.isfinite(visited)]
            low, high = (visited.min(), visited.max()) if len(visited) else (0.0, 1.0)
            around = rng.uniform(low, high, _SAMPLES)
            states.append(np.append(visited[picked % max(len(visited), 1)], around))
        return current, states

    def require_euler(self) -> None:
        """Refuse what moves by anything else than dt times a slope."""
        neuron, (current, values) = self.neuron, self.samples
        whole, half = (self.after(s, current, values, spike=False) for s in (1.0, 0.5))
        for name, value, w, h in zip(neuron.state_names, values, whole, half, strict=True):
            moved, twice = w - value, 2 * (h - value)
            sure = np.isfinite(moved) & np.isfinite(twice)
            most = np.max(np.abs(moved[sure]), initial=0.0)
            apart = np.max(np.abs(moved - twice)[sure], initial=0.0)
            if apart > _SAME * most + 1e-12 * np.max(np.abs(value)):
                raise ScneuroError(
                    f"{neuron.name}: update() is not explicit Euler: with half the dt, {name} does "
                    "not move half as far",
                    CURE.format(next(iter(neuron.state_names))),
                )

    def reset(self) -> bool:
        """Whether a spike changes any state."""
        current, values = self.samples
        for value, left in zip(values, self.left(current, values), strict=True):
            scale = np.max(np.abs(value)) + np.ptp(value)
            if np.max(np.abs(left - value)) > 1e-6 * scale:
                return True
        return False

    def _rises(self) -> frozenset[int]:
        """Which parts of the spike's condition say that another was not so just before.

        In ``(V_next >= V_th) & (V < V_th)`` both meet where V is V_th: the first alone is what
        rises, and the second goes without saying.
        """
        variables = self._variables(*self.samples)
        found = set()
        parts = [2 * h - w for w, h in zip(*(s.parts(variables) for s in self.spike), strict=True)]
        exact = self.spike[0].parts(variables)
        for j, part in enumerate(parts):
            for k, other in enumerate(parts):
                scale = _SAME * (np.max(np.abs(part)) + 1e-300)
                before = np.max(np.abs(exact[k] - other)) <= np.max(np.abs(exact[j] - part))
                if j != k and np.max(np.abs(part + other)) <= scale and before and j not in found:
                    found.add(k)
        return frozenset(found)

    def text(self) -> tuple[str, ...]:
        """The equations as a person writes them; none where they cannot be put so."""
        states, graph = self.neuron.graph[1:], Graph()
        no = graph.node("const", value=False)
        known = {
            expr: graph.node("const", value=value)
            for expr, value in self.decided[1.0][False].items()
        }
        for expr in ordered(states, known):
            known[expr] = _rebuilt(graph, expr, [known[a] for a in expr.args])
        roots = [known[root] for root in states]
        with suppress(LoweringError):
            canonical = Canonical((no, *roots))
            slopes = {}
            for name, root in zip(self.neuron.state_names, roots, strict=True):
                after, dt = canonical.sum(root), self.neuron.dt
                terms = dict(after.terms)
                terms[Variable(name)] = terms.get(Variable(name), 0.0) - 1.0
                kept = [(a, c / dt) for a, c in terms.items() if abs(c) > 1e-12]
                slopes[name] = Sum(tuple(kept), after.constant / dt)
            text = Text(slopes, False)
            lines = [f"d{name}/dt = {text.spelled(slope)}" for name, slope in slopes.items()]
            lines += [f"{n} = {said}" for n, said in text.sums.items() if n.startswith("x#")]
            return (*lines, *(f"{name} = {said}" for name, said in text.tables.items()))
        return ()


def _decided(roots: tuple[Expr, ...], spike: bool) -> dict[Expr, bool]:
    """What it says of the comparisons that there is, or is no, spike.

    Besides the spike's own these are all of the same two values: ``np.where(V < V_th, V, V_reset)``
    after ``V >= V_th``, and ``np.minimum(V, V_th)``.
    """
    flag, *states = roots
    decided = {flag: spike}
    if flag.op in ("ge", "gt"):
        for expr in ordered(states):
            if expr.op in ("ge", "gt") and set(expr.args) == set(flag.args):
                decided[expr] = spike if expr.args == flag.args else not spike
    return decided


def _function(
    roots: tuple[Expr, ...], decided: Mapping[Expr, bool]
) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """As :meth:`Graph.evaluate` of single numbers, and many times as fast."""
    names = {expr: repr(value) for expr, value in decided.items()}
    constants: dict[str, Any] = {}
    lines = ["def run(given):"]
    for k, expr in enumerate(ordered(roots, decided)):
        names[expr] = f"v{k}"
        args = [names[arg] for arg in expr.args]
        match expr.op:
            case "const":
                constants[f"c{k}"] = expr.value if expr.is_condition else np.float64(expr.value)
                text = f"c{k}"
            case "var":
                text = f"float64(given[{expr.value!r}])"
            case "pow":
                text = f"{args[0]} ** {expr.value}"
            case "call":
                constants[f"c{k}"] = expr.value
                text = f"c{k}({args[0]})"
            case _:
                text = PYTHON[expr.op].format(*args)
        lines.append(f"    v{k} = {text}")
    lines.append(f"    return ({', '.join(names[root] for root in roots)},)")
    scope: dict[str, Any] = {**constants, "float64": np.float64}
    exec("\n".join(lines), scope)
    return scope["run"]  # type: ignore[no-any-return]


def _rebuilt(graph: Graph, expr: Expr, args: list[Expr]) -> Expr:
    """A node on other arguments; a choice that is made already is what was chosen."""
    if args and isinstance(args[0].value, bool):
        chosen = args[0].value
        if expr.op == "where":
            return args[1] if chosen else args[2]
        if expr.op == "not":
            return graph.node("const", value=not chosen)
    return graph.node(expr.op, *args, value=expr.value, line=expr.line)


def _with_dt(neuron: Neuron, dt: float) -> Neuron:
    """The neuron with another time step."""
    spec = neuron.spec
    try:
        if spec.preset is not None:
            return spec.kind.preset(spec.preset, **{**dict(spec.keywords), "dt": dt})  # type: ignore[no-any-return]
        given = dict(zip(spec.kind._defaults, spec.arguments, strict=False))
        if spec.kind.__init__ is not Neuron.__init__:
            return spec.kind(*spec.arguments, **{**dict(spec.keywords), "dt": dt})  # type: ignore[no-any-return]
        return spec.kind(**{**given, **dict(spec.keywords), "dt": dt})  # type: ignore[no-any-return]
    except (TypeError, ValueError) as error:
        raise ScneuroError(
            f"{neuron.name} cannot be made with another dt, to see its equations: {error}",
            CURE.format(neuron.state_names[0]),
        ) from None


class _Spike:
    """The condition of a spike as numbers: each comparison by how far it holds."""

    def __init__(self, flag: Expr) -> None:
        self.flag = flag
        self.compared = list(dict.fromkeys(_comparisons(flag)))

    def parts(self, variables: Mapping[str, Any]) -> list[Any]:
        """How far each comparison holds."""
        sides = Graph.evaluate(tuple(a for e in self.compared for a in e.args), variables)
        return [a - b for a, b in zip(sides[::2], sides[1::2], strict=True)]

    def above(self, variables: Mapping[str, Any], skipped: frozenset[int]) -> Any:
        """How far the whole condition holds; below 0 it does not."""
        known = dict(zip(self.compared, self.parts(variables), strict=True))
        for k in skipped:
            known[self.compared[k]] = np.inf
        return self._of(self.flag, known)

    def _of(self, expr: Expr, known: Mapping[Expr, Any]) -> Any:
        if expr in known:
            return known[expr]
        args = [self._of(a, known) for a in expr.args] if expr.op in LOGIC else []
        match expr.op:
            case "and":
                return np.minimum(*args)
            case "or":
                return np.maximum(*args)
            case "not":
                return args[0] if np.all(np.isinf(args[0])) else -args[0]
        raise ScneuroError(f"the spike's condition {expr} is no comparison", "write one: V >= V_th")


def _comparisons(expr: Expr) -> list[Expr]:
    """The comparisons of a condition, in the order in which they are written."""
    if expr.op in ("ge", "gt"):
        return [expr]
    return [e for arg in expr.args for e in _comparisons(arg)] if expr.op in LOGIC else []
