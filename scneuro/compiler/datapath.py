"""The datapath: one step of a neuron as integer operations, each exact.

This is the integer model. Its nodes are evaluated over Python integers or NumPy arrays here, and
the very same nodes become gates in :mod:`scneuro.hdl`. Every node carries the interval its value
lies in, so its width is known and it cannot overflow, and a bound on how far it can be from the
real number it stands for.

=========  ===========================  ==============================================
op         meta                         value
=========  ===========================  ==============================================
``input``  name                         a state register, an input word or a noise draw
``const``  integer                      itself
``add``    (i, j, sign)                 (a << i) + sign * (b << j)
``scale``  k                            a * k, k a constant
``mul``    -                            a * b
``move``   -                            a, counted in another unit: the same integer
``known``  -                            a, of which more is known than its arguments say
``shl``    n                            a << n
``shr``    n                            a >> n (floor)
``low``    (n, signed)                  the low n bits of a, sign-extended if ``signed``
``rom``    tuple of integers            contents[a]
``ge``     k                            a >= k
``not``    -                            ~a; likewise ``and``, ``or`` (all on conditions)
``mux``    -                            b if a else c
``clamp``  (low, high)                  a, limited to [low, high]
=========  ===========================  ==============================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import LoweringError

__all__ = ["ARRAYS", "EXACT", "INTEGERS", "WIDEST", "Datapath", "Node", "low_interval", "width_of"]

WIDEST = 62
_SAME = ("move", "known")  # operations whose value is their argument's


def width_of(low: int, high: int) -> int:
    """Bits that hold every integer in [low, high]; two's complement if ``low`` is negative."""
    if low < 0:
        return max((~low).bit_length(), max(high, 0).bit_length()) + 1
    return max(1, high.bit_length())


class Node:
    """One integer operation.

    Attributes
    ----------
    op, args, meta
        What it does; see the module's table.
    low, high : int
        The interval its value lies in (a condition has 0 and 1).
    fraction : int
        Its value stands for value * 2**-fraction.
    error : float
        The most it can differ from the real number it stands for.
    name : str
        For waveforms and reports.
    """

    __slots__ = ("args", "error", "fraction", "high", "index", "low", "meta", "name", "op")

    def __init__(
        self,
        op: str,
        args: tuple[Node, ...],
        meta: Any,
        low: int,
        high: int,
        fraction: int,
        error: float,
        index: int,
        name: str,
    ) -> None:
        self.op, self.args, self.meta = op, args, meta
        self.low, self.high, self.fraction, self.error = low, high, fraction, error
        self.index, self.name = index, name

    @property
    def width(self) -> int:
        return width_of(self.low, self.high)

    @property
    def signed(self) -> bool:
        return self.low < 0

    @property
    def magnitude(self) -> float:
        """The largest absolute value it can stand for."""
        return max(abs(self.low), abs(self.high)) * 2.0**-self.fraction


def low_interval(a: Node, bits: int, signed: bool) -> tuple[int, int]:
    """Where the low bits of a value lie: where it does, if it has no others."""
    most = (1 << bits) - 1
    low, high = (-(1 << (bits - 1)), most >> 1) if signed else (0, most)
    return (a.low, a.high) if low <= a.low and a.high <= high else (low, high)


def _low_bits(value: Any, meta: tuple[int, bool]) -> Any:
    bits, signed = meta
    value = value & ((1 << bits) - 1)
    return ((value ^ (1 << (bits - 1))) - (1 << (bits - 1))) if signed else value


def _add(node: Node, a: Any, b: Any) -> Any:
    i, j, sign = node.meta
    a, b = a << i if i else a, b << j if j else b
    return a + b if sign > 0 else a - b


@lru_cache(maxsize=256)
def _contents(node: Node) -> np.ndarray:
    return np.asarray(node.meta, dtype=np.int64)


EXACT: dict[str, Callable[..., Any]] = {
    "const": lambda node: node.meta,
    "add": _add,
    "scale": lambda node, a: a * node.meta,
    "mul": lambda node, a, b: a * b,
    "move": lambda node, a: a,
    "known": lambda node, a: a,
    "shl": lambda node, a: a << node.meta,
    "shr": lambda node, a: a >> node.meta,
    "low": lambda node, a: _low_bits(a, node.meta),
    "ge": lambda node, a: a >= node.meta,
}

#: Evaluates over Python integers, one neuron at a time.
INTEGERS: dict[str, Callable[..., Any]] = {
    **EXACT,
    "rom": lambda node, a: node.meta[a],
    "not": lambda node, a: not a,
    "and": lambda node, a, b: a and b,
    "or": lambda node, a, b: a or b,
    "mux": lambda node, a, b, c: b if a else c,
    "clamp": lambda node, a: min(max(a, node.meta[0]), node.meta[1]),
}

#: Evaluates over int64 arrays, many neurons at once.
ARRAYS: dict[str, Callable[..., Any]] = {
    **EXACT,
    "rom": lambda node, a: _contents(node)[a],
    "not": lambda node, a: np.logical_not(a),
    "and": lambda node, a, b: np.logical_and(a, b),
    "or": lambda node, a, b: np.logical_or(a, b),
    "mux": lambda node, a, b, c: np.where(a, b, c),
    "clamp": lambda node, a: np.minimum(np.maximum(a, node.meta[0]), node.meta[1]),
}


class Datapath:
    """Builds nodes, sharing equal ones, and evaluates them.

    Attributes
    ----------
    inputs : dict of str to Node
    outputs : dict of str to Node
        ``spike`` and the next value of every state.
    """

    def __init__(self) -> None:
        self._nodes: dict[tuple[Any, ...], Node] = {}
        self.inputs: dict[str, Node] = {}
        self.outputs: dict[str, Node] = {}

    # -- building ----------------------------------------------------------------------------
    def _node(
        self,
        op: str,
        args: tuple[Node, ...],
        meta: Any,
        low: int,
        high: int,
        fraction: int,
        error: float,
        name: str = "",
    ) -> Node:
        key = (op, tuple(arg.index for arg in args), meta, low, high, fraction, error)
        if key not in self._nodes:
            if width_of(low, high) > WIDEST:
                raise LoweringError(
                    f"a value in [{low * 2.0**-fraction:g}, {high * 2.0**-fraction:g}] with "
                    f"{fraction} fraction bits needs {width_of(low, high)} bits, more than "
                    f"{WIDEST}",
                    "narrow the states it is made of: State(range=(low, high)), or scale their "
                    "units",
                )
            index = len(self._nodes)
            self._nodes[key] = Node(
                op, args, meta, low, high, fraction, error, index, name or f"{op}_{index}"
            )
        return self._nodes[key]

    def input(self, name: str, low: int, high: int, fraction: int) -> Node:
        self.inputs[name] = self._node("input", (), name, low, high, fraction, 0.0, name)
        return self.inputs[name]

    def const(self, value: int, fraction: int, error: float = 0.0) -> Node:
        return self._node("const", (), value, value, value, fraction, error)

    def add(self, a: Node, b: Node, sign: int = 1, name: str = "") -> Node:
        """a + b, or a - b with ``sign`` -1, at the finer of the two fractions."""
        fraction = max(a.fraction, b.fraction)
        i, j = fraction - a.fraction, fraction - b.fraction
        low = (a.low << i) + ((b.low << j) if sign > 0 else -(b.high << j))
        high = (a.high << i) + ((b.high << j) if sign > 0 else -(b.low << j))
        return self._node("add", (a, b), (i, j, sign), low, high, fraction, a.error + b.error, name)

    def scale(self, a: Node, factor: int, fraction: int, name: str = "") -> Node:
        """a times the constant factor * 2**-fraction; a power of two is free."""
        if factor == 1:
            return self.move(a, a.fraction + fraction, name)
        low, high = sorted((a.low * factor, a.high * factor))
        return self._node(
            "scale",
            (a,),
            factor,
            low,
            high,
            a.fraction + fraction,
            a.error * abs(factor) * 2.0**-fraction,
            name,
        )

    def move(self, a: Node, fraction: int, name: str = "") -> Node:
        """The same integer, with another binary point."""
        if fraction == a.fraction:
            return a
        error = a.error * 2.0 ** (a.fraction - fraction)
        return self._node("move", (a,), None, a.low, a.high, fraction, error, name)

    def plain(self, a: Node) -> Node:
        """The same integer, counted without a fraction."""
        return self.move(a, 0)

    def mul(self, a: Node, b: Node, name: str = "") -> Node:
        ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        low = 0 if a is b and a.low < 0 < a.high else min(ends)
        error = a.magnitude * b.error + b.magnitude * a.error + a.error * b.error
        return self._node("mul", (a, b), None, low, max(ends), a.fraction + b.fraction, error, name)

    def shl(self, a: Node, bits: int) -> Node:
        if not bits:
            return a
        return self._node(
            "shl", (a,), bits, a.low << bits, a.high << bits, a.fraction + bits, a.error
        )

    def shr(self, a: Node, bits: int, error: float, name: str = "") -> Node:
        """a >> bits; ``error`` is what dropping them adds to the bound."""
        if not bits:
            return a
        return self._node(
            "shr",
            (a,),
            bits,
            a.low >> bits,
            a.high >> bits,
            a.fraction - bits,
            a.error + error,
            name,
        )

    def low(self, a: Node, bits: int, *, signed: bool = False) -> Node:
        return self._node("low", (a,), (bits, signed), *low_interval(a, bits, signed), 0, 0.0)

    def rom(self, a: Node, contents: tuple[int, ...], fraction: int) -> Node:
        """contents[a]; of one address, a constant."""
        if a.low == a.high:
            return self.const(contents[a.low], fraction)
        return self._node("rom", (a,), contents, min(contents), max(contents), fraction, 0.0)

    def annotate(self, a: Node, low: int, high: int, error: float, name: str) -> Node:
        """The same value with what was measured of it: a tighter interval, its error."""
        return self._node("known", (a,), None, low, high, a.fraction, error, name)

    def within(self, a: Node, low: int, high: int) -> Node:
        """The same operation, known to lie in an interval."""
        if low <= a.low and a.high <= high:
            return a
        return self._node(
            a.op, a.args, a.meta, max(a.low, low), min(a.high, high), a.fraction, a.error
        )

    def ge(self, a: Node, bound: int) -> Node:
        return self._node("ge", (a,), bound, int(a.low >= bound), int(a.high >= bound), 0, a.error)

    def logic(self, op: str, *args: Node) -> Node:
        """``not``, ``and`` or ``or`` of conditions; an argument that is known is gone."""
        if op == "not":
            (a,) = args
            return self._node(op, args, None, 1 - a.high, 1 - a.low, 0, 0.0)
        for known, other in (args, args[::-1]):
            if known.low == known.high:
                return known if bool(known.low) == (op == "or") else other
        return self._node(op, args, None, 0, 1, 0, 0.0)

    def mux(self, condition: Node, yes: Node, no: Node, name: str = "") -> Node:
        """``yes`` where the condition holds, else ``no``; a choice that is known is gone."""
        if condition.low == condition.high or yes is no:
            return yes if condition.low else no
        fraction = max(yes.fraction, no.fraction)
        yes, no = (self.shl(side, fraction - side.fraction) for side in (yes, no))
        return self._node(
            "mux",
            (condition, yes, no),
            None,
            min(yes.low, no.low),
            max(yes.high, no.high),
            fraction,
            max(yes.error, no.error),
            name,
        )

    def clamp(self, a: Node, low: int, high: int, name: str = "", error: float = 0.0) -> Node:
        """a limited to [low, high]; ``error`` is what limiting adds to the bound."""
        if low <= a.low and a.high <= high:
            return a
        return self._node(
            "clamp",
            (a,),
            (low, high),
            min(max(a.low, low), high),
            max(min(a.high, high), low),
            a.fraction,
            a.error + error,
            name,
        )

    def copy(self, node: Node, args: tuple[Node, ...]) -> Node:
        """The operation of a node of another datapath, on ``args`` of this one."""
        return self._node(
            node.op, args, node.meta, node.low, node.high, node.fraction, node.error, node.name
        )

    # -- using -------------------------------------------------------------------------------
    def reachable(self, roots: tuple[Node, ...] | None = None) -> list[Node]:
        """The nodes that ``roots`` (by default the outputs) need, arguments first."""
        wanted: set[int] = set()
        stack = list(self.outputs.values() if roots is None else roots)
        while stack:
            node = stack.pop()
            if node.index not in wanted:
                wanted.add(node.index)
                stack.extend(node.args)
        return [node for node in self._nodes.values() if node.index in wanted]

    def evaluator(
        self, roots: Mapping[str, Node], arithmetic: Mapping[str, Callable[..., Any]]
    ) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """A function from the inputs' values to those of ``roots``, in the given arithmetic."""
        slot: dict[int, int] = {}
        constants: list[Any] = []
        inputs: list[str] = []
        program: list[tuple[Callable[..., Any], Node, tuple[int, ...]]] = []
        nodes = self.reachable(tuple(roots.values()))
        first = [node for node in nodes if not node.args]
        for node in sorted(first, key=lambda node: node.op):  # constants, then inputs
            slot[node.index] = len(slot)
            if node.op == "input":
                inputs.append(node.meta)
            else:
                constants.append(arithmetic[node.op](node))
        for node in nodes:
            args = tuple(slot[arg.index] for arg in node.args)
            if node.op in _SAME:
                slot[node.index] = args[0]
            elif args:
                slot[node.index] = len(first) + len(program)
                program.append((arithmetic[node.op], node, args))
        results = {name: slot[node.index] for name, node in roots.items()}

        def evaluate(values: Mapping[str, Any]) -> dict[str, Any]:
            memory = [*constants, *(values[name] for name in inputs)]
            for function, node, args in program:
                if len(args) == 1:
                    memory.append(function(node, memory[args[0]]))
                else:
                    memory.append(function(node, *[memory[i] for i in args]))
            return {name: memory[number] for name, number in results.items()}

        return evaluate
