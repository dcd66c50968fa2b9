"""Blocks next to a plain specification of them, and what is claimed of the two."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from amaranth import ClockDomain, Const, Module, Shape, Signal, Value
from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, Fragment
from amaranth.lib.wiring import In

__all__ = ["SOLVER", "Harness", "implies", "same"]

SOLVER = "z3"
_TIE = "tie"
# registers and memories on one clock; those without an initial value, and what nothing drives, may
# be anything
_FORMULA = (
    "prep -top top",
    "memory_nordff",
    "async2sync",
    "chformal -assume -early",
    "opt_clean",
    "formalff -setundef -clk2ff -ff2anyinit -hierarchy",
    "opt_clean",
    "setundef -undriven -anyseq",
    "opt -fast",
    "opt_clean",
    "formalff -assume",
    "dffunmap",
)


class Harness:
    """Blocks, a monitor next to them, and what is claimed of them.

    Parameters
    ----------
    name : str
    blocks : component
        By name. Inputs that nothing drives may be anything, at any clock.
    start : iterable of str
        Blocks whose registers may start with any value.
    depth : int
        Clocks of the induction.
    search : int
        Clocks from the start in which a counterexample is looked for.
    reset : bool
        The blocks may be reset at any clock; otherwise they never are. The monitor never is.

    Attributes
    ----------
    m : Module
        For the monitor.
    claims : dict of str to str
        Statements by name.
    begun : Signal
        It is not the first clock.
    """

    def __init__(
        self,
        name: str,
        *,
        start: Iterable[str] = (),
        depth: int = 1,
        search: int = 64,
        reset: bool = False,
        **blocks: Any,
    ) -> None:
        self.name, self.depth, self.search = name, depth, search
        self.m = Module()
        self.m.domains.sync = self._clock = ClockDomain("sync", reset_less=not reset)
        self.claims: dict[str, str] = {}
        self.blocks = blocks
        self._fragments = {block: Fragment.get(dut, None) for block, dut in blocks.items()}
        self._start = tuple(start)
        self._driven: list[Signal] = []
        self._free: list[Value] = []
        self.begun = self.was(Const(1))

    def part(self, block: str, name: str) -> Any:
        """A submodule of a block, or of its submodule ``block.name``."""
        module = self._fragment(block).origins[-1]  # what elaborate() returned
        return getattr(module.submodules, name)

    def parts(self, block: str, names: Iterable[str]) -> list[Any]:
        return [self.part(block, name) for name in names]

    def register(self, name: str, block: str = "dut") -> Signal:
        """A register of a block, or of its submodule ``block.name``, that is none of its ports."""
        return {signal.name: signal for signal in self.registers(block)}[name]

    def registers(self, block: str = "dut") -> list[Signal]:
        """All registers of a block or submodule, in the order in which its text has them."""
        statements = self._fragment(block).statements.get("sync", ())
        found = {id(s): s for statement in statements for s in statement._lhs_signals()}
        return list(found.values())

    def logic(self, name: str, block: str = "dut") -> Signal:
        """A signal of a block that is no register and none of its ports."""
        statements = self._fragment(block).statements.get("comb", ())
        return next(x for part in statements for x in part._lhs_signals() if x.name == name)

    def has(self, block: str) -> bool:
        """Whether there is a submodule ``block.name``."""
        block, name = block.rsplit(".", 1)
        return any(part == name for _, part, _ in self._fragment(block).subfragments)

    def look(self, memory: str, address: Value) -> Signal:
        """What a memory, ``block.name``, has at an address, without disturbing it."""
        instance = self._fragment(memory)
        depth, shape = instance._data.depth, Shape.cast(instance._data.shape)
        seen = Signal(shape, name=f"has_{memory.split('.')[-1]}")
        instance.read_port(
            domain="comb",
            addr=address[: (depth - 1).bit_length()],
            data=seen,
            en=Const(1),
            transparent_for=(),
        )
        return seen

    def constant(self, shape: Any, name: str) -> Signal:
        """Any number, but the same at every clock."""
        number = Signal(shape, name=name)
        self.free(number)
        self.assume(implies(self.begun, number == self.was(number)))
        return number

    def _fragment(self, block: str) -> Any:
        block, *inner = block.split(".")
        fragment = self._fragments[block]
        for wanted in inner:
            fragment = next(f for f, part, _ in fragment.subfragments if part == wanted)
        return fragment

    def wire(self, driven: Any, driver: Any) -> None:
        """Drive an input of a block."""
        self.m.d.comb += driven.eq(driver)
        self._driven.append(driven)

    def free(self, *values: Any) -> None:
        """Let what nothing drives be anything, at any clock."""
        self._free += [Value.cast(value) for value in values]

    @property
    def rst(self) -> Signal:
        """The reset of the blocks, which may come at any clock."""
        return self._clock.rst

    def was(self, value: Any, *, init: int = 0) -> Signal:
        """The value a clock ago; at first ``init``."""
        value = Value.cast(value)
        name = f"was_{getattr(value, 'name', 'it')}"
        before = Signal(value.shape(), init=init, name=name, reset_less=True)
        self.m.d.sync += before.eq(value)
        return before

    def claim(self, name: str, statement: str, *conditions: Any) -> None:
        """Claim that the conditions hold at every clock."""
        self.claims[name] = statement
        self.m.d.comb += [Assert(condition, name) for condition in conditions]

    def know(self, *conditions: Any) -> None:
        """State what ties the monitor to the registers; the induction needs it."""
        self.m.d.comb += [Assert(condition, _TIE) for condition in conditions]

    def assume(self, condition: Any) -> None:
        self.m.d.comb += Assume(condition)

    def rtlil(self) -> str:
        """The design, its assertions named after the claims."""
        top = Fragment.get(self.m, None)
        ports = [self._clock.clk, *self._free]
        if self._clock.rst is not None:
            ports.append(self._clock.rst)
        for block, dut in self.blocks.items():
            top.add_subfragment(self._fragments[block], block)
            for _, member, value in dut.signature.flatten(dut):
                signal = Value.cast(value)
                if member.flow == In and not any(signal is driven for driven in self._driven):
                    ports.append(signal)
        text = rtlil.convert(top, ports=ports, name="top", emit_src=False)
        numbers = iter(range(1, text.count("cell $check") + 1))
        return re.sub(
            r'cell \$check \S+(\n\s+parameter \\FORMAT "(\w+)")',
            lambda found: rf"cell $check \{found[2]}__{next(numbers)}{found[1]}",
            text,
        )

    def task(self, mode: str) -> str:
        """How yosys makes formulas: to ``prove``, or to look for a counterexample, ``bmc``."""
        script = ["read_rtlil top.il", "hierarchy -top top"]
        script += [f"setattr -unset init top.{block}/w:*" for block in self._start]
        script += ["opt_clean", "proc -norom", "flatten", "opt_clean", "chformal -lower"]
        if mode == "bmc":  # the claims alone: what ties registers to the monitor breaks earlier
            script.append(f"delete top/{_TIE}__*")
        return "\n".join([*script, *_FORMULA, f"write_smt2 -wires {mode}.smt2\n"])


def implies(condition: Any, conclusion: Any) -> Value:
    """Where the condition holds, so does the conclusion."""
    return ~Value.cast(condition).bool() | Value.cast(conclusion).bool()


def same(a: Any, b: Any) -> Value:
    """All bits are equal."""
    return Value.cast(a) == Value.cast(b)
