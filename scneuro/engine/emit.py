"""Whole runs as source: one function that takes every neuron through all its steps.

A :class:`Body` is one step, written from a frozen datapath (integers) or from the traced graph
(float). :func:`source` puts loops around it. A few neurons run one after the other, time inside,
their states in local variables; many run in tiles, with an innermost loop over the neurons of a
tile that a compiler turns into vector instructions. The result is plain Python, which computes the
same before it is compiled.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compiler.datapath import Node
from ..compiler.graph import LOGIC, PYTHON, Expr, ordered
from ..compiler.lowered import Lowered
from ..compiler.trace import PERIODS, Power
from ..errors import ScneuroError
from ..stochastic import LFSR, Noise

__all__ = ["Body", "of_datapath", "of_graph", "source"]


@dataclass(frozen=True)
class Body:
    """One step of a neuron, as lines of Python.

    Attributes
    ----------
    states : tuple of str
        What the local variables ``s0``, ``s1``, ... hold.
    inputs : tuple of str
        ``i0``, ``i1``, ...
    draws : tuple of tuple of str
        By source of randomness, what it draws in a step, in order: ``d0_0``, ``d0_1``, ...
    tables : tuple of tuple of int
        ``T0``, ``T1``, ...
    lines : tuple of str
        They set locals from these.
    spike : str
        An expression.
    following : tuple of str
        The states' next values.
    traces : tuple of (str, str, str)
        What can be recorded after a step: its name, dtype, and an expression of the new states.
    counted : tuple of (str, str)
        Conditions on a step whose steps are counted, by name.
    dtype : {"int64", "float64"}
        Of the states.
    taken : {"int16", "float64"}
        Of the inputs.
    size : int
        Operations in a step.
    exact : bool
        Whether NumPy gives the same bits.
    """

    states: tuple[str, ...]
    inputs: tuple[str, ...]
    draws: tuple[tuple[str, ...], ...]
    tables: tuple[tuple[int, ...], ...]
    lines: tuple[str, ...]
    spike: str
    following: tuple[str, ...]
    traces: tuple[tuple[str, str, str], ...]
    counted: tuple[tuple[str, str], ...]
    dtype: str
    taken: str
    size: int
    exact: bool


# -- integers -------------------------------------------------------------------------------------
def _low(a: str, meta: tuple[int, bool]) -> str:
    bits, signed = meta
    kept = f"{a} & {(1 << bits) - 1}"
    half = 1 << (bits - 1)
    return f"(({kept}) ^ {half}) - {half}" if signed else kept


def _add(node: Node, a: str, b: str) -> str:
    i, j, sign = node.meta
    return f"({a} << {i}) {'+' if sign > 0 else '-'} ({b} << {j})"


#: How each operation of a datapath is written; the same that ``ARRAYS`` evaluates.
_INTEGERS: dict[str, Any] = {
    "const": lambda node: str(node.meta),
    "add": _add,
    "scale": lambda node, a: f"{a} * {node.meta}",
    "mul": lambda node, a, b: f"{a} * {b}",
    "move": lambda node, a: a,
    "known": lambda node, a: a,
    "shl": lambda node, a: f"{a} << {node.meta}",
    "shr": lambda node, a: f"{a} >> {node.meta}",
    "low": lambda node, a: _low(a, node.meta),
    "ge": lambda node, a: f"{a} >= {node.meta}",
    "not": lambda node, a: f"not {a}",
    "and": lambda node, a, b: f"{a} & {b}",
    "or": lambda node, a, b: f"{a} | {b}",
    "mux": lambda node, a, b, c: f"{b} if {a} else {c}",
    "clamp": lambda node, a: f"min(max({a}, {node.meta[0]}), {node.meta[1]})",
}


def of_datapath(lowered: Lowered, traces: str = "words") -> Body:
    """A step of an integer model.

    Parameters
    ----------
    lowered : Lowered
    traces : {"words", "registers"}
        What can be recorded: the states' 16-bit words, or their registers and all draws.
    """
    path = lowered.path
    states, inputs = tuple(lowered.registers), tuple(lowered.inputs)
    draws = (lowered.drawn, lowered.dither)
    names = _names(states, inputs, draws)
    tables: dict[tuple[int, ...], str] = {}
    text: dict[int, str] = {}
    lines: list[str] = []
    for node in path.reachable():
        args = [text[arg.index] for arg in node.args]
        if node.op == "input":
            text[node.index] = names[node.meta]
            continue
        if node.op == "const":
            text[node.index] = f"({node.meta})" if node.meta < 0 else str(node.meta)
            continue
        if node.op == "rom":
            written = f"{tables.setdefault(node.meta, f'T{len(tables)}')}[{args[0]}]"
        else:
            written = _INTEGERS[node.op](node, *args)
        text[node.index] = f"x{len(lines)}"
        lines.append(f"x{len(lines)} = {written}")
    registers = list(lowered.registers.values())
    recorded: list[tuple[str, str, str]] = []
    if traces == "registers":
        recorded += [(r.name, "int64", f"s{k}") for k, r in enumerate(registers)]
        recorded += [(name, "int64", names[name]) for name in lowered.noise]
    else:
        for k, r in enumerate(registers):
            rounded = f"(s{k} + {(1 << r.guard) >> 1}) >> {r.guard}"
            recorded.append((r.name, "int16", f"min({rounded}, {(1 << 15) - 1})"))
    counted = []
    for stop in lowered.stops:
        value = text[stop.node.index]
        counted.append((stop.state, f"({value} < {stop.least}) | ({value} > {stop.most})"))
    return Body(
        states,
        inputs,
        draws,
        tuple(tables),
        tuple(lines),
        text[path.outputs["spike"].index],
        tuple(text[path.outputs[name].index] for name in states),
        tuple(recorded),
        tuple(counted),
        "int64",
        "int16",
        len(lines),
        True,
    )


# -- float ----------------------------------------------------------------------------------------
#: Choices that NumPy makes otherwise where a value is no number.
_CHOICES = {
    np.minimum: "{1} if {0} | ({1} != {1}) else {2}",
    np.maximum: "{1} if {0} | ({1} != {1}) else {2}",
    np.fmin: "{1} if {0} | ({2} != {2}) else {2}",
    np.fmax: "{1} if {0} | ({2} != {2}) else {2}",
    np.absolute: "abs({1})",
}
#: What numba takes from the machine's library.
_NUMPY = frozenset(
    {"exp2", "log", "log2", "log10", "log1p", "sqrt", "floor"}
    | {"sin", "cos", "tan", "arcsin", "arccos", "arctan"}
    | {"sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"}
)


def of_graph(
    model: str,
    roots: Sequence[Expr],
    states: Sequence[str],
    inputs: Sequence[str],
    noises: Mapping[str, Noise],
) -> Body:
    """A step of the float model: the spike flag, then the states' next values.

    Raises
    ------
    ScneuroError
        A function that only NumPy has.
    """
    drawn = tuple(draw for noise in noises.values() for draw in noise.draws)
    names = _names(states, inputs, (drawn,))
    lines: list[str] = []
    for k, (name, noise) in enumerate(noises.items()):
        terms = " + ".join(names[draw] for draw in noise.draws)
        lines.append(f"n{k} = ({terms}) * {2.0**-LFSR.DRAW!r}")
        names[name] = f"n{k}"
    text: dict[Expr, str] = {}
    exact = True
    for expr in ordered(roots):
        args = [text[arg] for arg in expr.args]
        if expr.op == "var":
            text[expr] = names[expr.value]
            continue
        if expr.op == "const":
            text[expr] = f"({expr.value!r})"
            continue
        if expr.op == "pow":
            written, exact = " * ".join(args * expr.value), exact and expr.value == 2
        elif expr.op == "call":
            written, exact = (
                _call(model, expr, args[0]),
                exact and expr.value in (np.sqrt, np.floor),
            )
        elif expr.op == "where" and expr.value == PERIODS:
            raise ScneuroError(
                f"{model}: a remainder has no compiled form", 'run it with engine="numpy"'
            )
        elif expr.op == "where" and expr.value in _CHOICES:
            written = _CHOICES[expr.value].format(*args)
        else:
            if expr.op not in LOGIC:  # a condition among numbers counts as 0 or 1
                chooses = expr.op == "where"
                for k, arg in enumerate(expr.args):
                    if arg.is_condition and not (chooses and k == 0):
                        args[k] = _as_number(args[k])
            written = PYTHON[expr.op].format(*args)
        text[expr] = f"x{len(lines)}"
        lines.append(f"x{len(lines)} = {written}")
    spike, *following = roots
    return Body(
        tuple(states),
        tuple(inputs),
        (drawn,),
        (),
        tuple(lines),
        text[spike],
        tuple(_as_number(text[e]) if e.is_condition else text[e] for e in following),
        tuple((name, "float64", f"s{k}") for k, name in enumerate(states)),
        (),
        "float64",
        "float64",
        len(lines),
        exact,
    )


def _as_number(condition: str) -> str:
    return f"(1.0 if {condition} else 0.0)"


def _call(model: str, expr: Expr, arg: str) -> str:
    """A function of one value."""
    function = expr.value
    if isinstance(function, Power):
        return f"{arg} ** {function.exponent!r}"
    name = getattr(function, "__name__", "")
    if name in _FUNCTIONS and getattr(np, name) is function:
        return f"{name}({arg})"
    if name not in _NUMPY or getattr(np, name) is not function:
        raise ScneuroError(
            f"{model}: np.{name or function} has no compiled form", 'run it with engine="numpy"'
        )
    return f"np.{name}({arg})"


# -- loops ----------------------------------------------------------------------------------------
def _names(
    states: Sequence[str], inputs: Sequence[str], draws: Sequence[Sequence[str]]
) -> dict[str, str]:
    """The local variables of what a step reads."""
    names = {name: f"s{k}" for k, name in enumerate(states)}
    names |= {name: f"i{k}" for k, name in enumerate(inputs)}
    names |= {name: f"d{j}_{k}" for j, own in enumerate(draws) for k, name in enumerate(own)}
    return names


_DRAW = """\
{draw} = {kind}((r ^ (r >> {tap})) & {mask})
r = (r >> {bits}) | (((r ^ (r >> {tap})) & {mask}) << {rest})
"""
_LEAP = "r = " + " ^ ".join(
    f"leaps[{{j}}, {k}, (r >> {8 * k}) & 255]" for k in range(-(-LFSR.WIDTH // 8))
)
#: Exponentials in operations that every machine rounds alike, and without a branch: as x is
#: n log 2 + r, exp(x) is 2**n (1 + p), and p is a series in r of no more than 0.35.
_SERIES = """\
    z = np.float64(y * 1.4426950408889634 + 6755399441055744.0)
    k = z - 6755399441055744.0
    r = (y - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    q = r * r
    f = q * q
    a = (r * {3} + {2}) + q * (r * {5} + {4})
    b = (r * {7} + {6}) + q * (r * {9} + {8})
    c = (r * {11} + {10}) + q * (r * {13} + {12})
    p = r + q * (a + f * (b + f * c))
    n = z.view(np.int64) - {bits}
""".format(
    *(repr(1 / math.factorial(k)) for k in range(14)), bits=np.float64(1.5 * 2.0**52).view(np.int64)
)
_FUNCTIONS = {
    "exp": f"""\
def exp(x):
    y = x if x < 710.0 else 710.0
    y = y if y > -746.0 else -746.0
{_SERIES}\
    h = n >> 1  # in two steps, since 2**n alone may be out of range
    low = np.int64((h + 1023) << 52).view(np.float64)
    high = np.int64((n - h + 1023) << 52).view(np.float64)
    return (1.0 + p) * low * high if x == x else x
""",
    "expm1": f"""\
def expm1(x):
    y = x if x < 710.0 else 710.0
    y = y if y > -50.0 else -50.0
{_SERIES}\
    s = np.int64((n + 1022) << 52).view(np.float64)
    return 2.0 * (p * s + (s - 0.5)) if x == x else x
""",
}
_TILE = 128  # neurons: what a step of them reads and writes stays in the fastest cache


def source(body: Body, *, many: bool) -> str:
    """The function ``run`` of a body, for a few neurons or for many.

    It takes ``(first, last, count, states, counts, seeds, leaps, ...)``: the neurons from ``first``
    to before ``last``, for ``count`` steps. ``states`` (states, N), ``counts`` (counted, N) and
    ``seeds`` (sources, N) are as the steps before left them, and are left for those that follow;
    ``leaps`` is what :func:`~scneuro.stochastic.lfsr.leap` makes for each source. Then come each
    input, the spikes and each trace: a flat array, and how much of it a step takes: N, or 0 where
    an input is held and a trace is not wanted.
    """
    arguments = ["first", "last", "count", "states", "counts", "seeds", "leaps"]
    for k in range(len(body.inputs)):
        arguments += [f"in{k}", f"a{k}"]
    arguments += ["spike", "q"]
    for k in range(len(body.traces)):
        arguments += [f"out{k}", f"q{k}"]
    tables = [
        f"T{k} = np.array({list(rows)}, dtype=np.int64)" for k, rows in enumerate(body.tables)
    ]
    called = {match[1] for line in body.lines for match in re.finditer(r" (\w+)\(", line)}
    return "\n".join(
        [
            "import numpy as np",
            *tables,
            *(text for name, text in _FUNCTIONS.items() if name in called),
            f"def run({', '.join(arguments)}):",
            *(f"    {line}" for line in (_many(body) if many else _few(body))),
            "",
        ]
    )


def _few(body: Body) -> list[str]:
    """Neuron by neuron, with time inside."""
    inputs, traces = range(len(body.inputs)), enumerate(body.traces)
    kept = [(f"s{k}", f"states[{k}, n]") for k in range(len(body.states))]
    kept += [(f"c{k}", f"counts[{k}, n]") for k in range(len(body.counted))]
    kept += [(f"r{j}", f"seeds[{j}, n]") for j, own in enumerate(body.draws) if own]
    step = [f"i{k} = {_wide(body)}(in{k}[t * a{k} + n])" for k in inputs]
    for j, own in enumerate(body.draws):
        step += [f"r = r{j}", *_drawn(body, j), f"r{j} = r"] if own else []
    step += body.lines
    step.append(f"spike[t * q + n] = {body.spike}")
    step += _moved_on(body)
    step += [f"out{k}[t * q{k} + n] = {value}" for k, (_, _, value) in traces]
    step += [f"c{k} += {condition}" for k, (_, condition) in enumerate(body.counted)]
    return [
        "for n in range(first, last):",
        *(f"    {name} = {place}" for name, place in kept),
        "    for t in range(count):",
        *(f"        {line}" for line in step),
        *(f"    {place} = {name}" for name, place in kept),
    ]


def _many(body: Body) -> list[str]:
    """Tile by tile of neurons, then time, then the neurons of the tile.

    All that a step reads and writes is in rows of one array, so that the compiler sees that nothing
    else can change it.
    """
    names = [f"s{k}" for k in range(len(body.states))]
    names += [f"i{k}" for k in range(len(body.inputs))]
    draws = [f"d{j}_{k}" for j, own in enumerate(body.draws) for k in range(len(own))]
    counts = [f"c{k}" for k in range(len(body.counted))]
    row = {name: k * _TILE for k, name in enumerate([*names, *draws, *counts, "fired"])}

    def place(name: str) -> str:
        return f"tile[{row[name]} + l]"

    kept = [(place(f"s{k}"), f"states[{k}, n + l]") for k in range(len(body.states))]
    kept += [(place(name), f"counts[{k}, n + l]") for k, name in enumerate(counts)]
    drawing = []
    for j, own in enumerate(body.draws):
        if own:
            put = [f"{place(f'd{j}_{k}')} = d{j}_{k}" for k in range(len(own))]
            drawing += [f"r = seeds[{j}, n + l]", *_drawn(body, j), f"seeds[{j}, n + l] = r", *put]
    step = [f"{name} = {place(name)}" for name in [*names, *draws]]
    step += [*body.lines, f"{place('fired')} = 1 if {body.spike} else 0", *_moved_on(body)]
    step += [f"{place(f's{k}')} = s{k}" for k in range(len(body.states))]
    step += [f"{place(f'c{k}')} += {condition}" for k, (_, condition) in enumerate(body.counted)]
    lines = [
        f"tile = np.zeros({len(row) * _TILE}, dtype=np.{body.dtype})",
        f"for n in range(first, last, {_TILE}):",
        f"    lanes = min({_TILE}, last - n)",
    ]
    lines += [f"    for l in range(lanes): {own} = {other}" for own, other in kept]
    lines.append("    for t in range(count):")
    for k in range(len(body.inputs)):
        lines.append(f"        for l in range(lanes): {place(f'i{k}')} = in{k}[t * a{k} + n + l]")
    for loop in filter(None, (drawing, step)):
        lines += ["        for l in range(lanes):", *(f"            {line}" for line in loop)]
    lines.append(f"        for l in range(lanes): spike[t * q + n + l] = {place('fired')} != 0")
    for k, (_, _, value) in enumerate(body.traces):
        read = [f"{name} = {place(name)}" for name in row if re.search(rf"\b{name}\b", value)]
        lines += [
            f"        if q{k} != 0:",
            "            for l in range(lanes):",
            *(f"                {line}" for line in read),
            f"                out{k}[t * q{k} + n + l] = {value}",
        ]
    lines += [f"    for l in range(lanes): {other} = {own}" for own, other in kept]
    return lines


def _moved_on(body: Body) -> list[str]:
    """The states become what follows, all at once."""
    following = [f"y{k} = {value}" for k, value in enumerate(body.following)]
    return following + [f"s{k} = y{k}" for k in range(len(body.following))]


def _drawn(body: Body, j: int) -> list[str]:
    """All draws of a source, from its state ``r``, which then is what the next step starts from."""
    lines = []
    for k, _ in enumerate(body.draws[j]):
        lines += _DRAW.format(
            draw=f"d{j}_{k}",
            kind=_wide(body),
            tap=LFSR.TAP,
            mask=(1 << LFSR.DRAW) - 1,
            bits=LFSR.DRAW,
            rest=LFSR.WIDTH - LFSR.DRAW,
        ).splitlines()
    return [*lines, _LEAP.format(j=j)]


def _wide(body: Body) -> str:
    return f"np.{body.dtype}"
