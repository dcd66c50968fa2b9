"""What was proved, and what was not."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Proof"]


@dataclass
class Proof:
    """What was proved of a neuron's datapath.

    Attributes
    ----------
    neuron : str
    form : str
        ``pipelined`` or ``held``, in DSPs or in logic.
    registers : int
        Registers of the RTL that were shown to hold what they should.
    values : int
        Values of the datapath that were shown to stay in their intervals.
    methods : dict of str to int
        How many of these each method settled.
    states, inputs : int
        How many the proof covers: all that the registers can reach, and all input words and draws.
    seconds : float
    failures : list of str
        What does not hold, or cannot be proved from what the solver is given.
    undecided : list of str
        What the solver had no time to decide: it may well hold.
    counterexample : dict or None
        ``inputs`` (state registers, input words and draws), ``model`` and ``hardware``.
    """

    neuron: str
    form: str
    registers: int = 0
    values: int = 0
    methods: dict[str, int] = field(default_factory=dict)
    states: int = 1
    inputs: int = 1
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    counterexample: dict[str, dict[str, int]] | None = None
    undecided: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.failures and not self.undecided

    def figures(self) -> dict[str, Any]:
        """Everything as plain data, for JSON."""
        return {**vars(self), "ok": self.ok}

    def __str__(self) -> str:
        verdict = "proved" if self.ok else "NOT PROVED" if self.failures else "UNDECIDED"
        how = ", ".join(f"{count} by {name}" for name, count in self.methods.items() if count)
        lines = [
            f"{self.neuron}, {self.form}: {verdict} for all 2^{math.log2(self.states):.4g} states "
            f"and 2^{math.log2(self.inputs):.4g} inputs in {self.seconds:.1f} s",
            f"  {self.registers} registers hold the model's values; {self.values} values stay in "
            f"their intervals ({how})",
        ]
        lines += [f"  FAIL  {failure}" for failure in self.failures]
        lines += [f"  time ran out: {claim}" for claim in self.undecided]
        if self.counterexample:
            for name, values in self.counterexample.items():
                lines.append(f"  {name:9s} " + ", ".join(f"{n} = {v}" for n, v in values.items()))
        return "\n".join(lines)

    def as_test(self) -> str:
        """The counterexample as a pytest case to paste; empty without one."""
        if not self.counterexample:
            return ""
        given = ", ".join(f"{n!r}: {v}" for n, v in self.counterexample["inputs"].items())
        return (
            f"def test_counterexample_of_{self.neuron.lower()}(neuron):\n"
            "    from scneuro.sim import vector_parity\n"
            f"    vector = {{{given}}}\n"
            f"    result = vector_parity(neuron.fixed(), vectors={{n: [v] for n, v in "
            "vector.items()}, progress=False)\n"
            "    assert result.ok, result.first\n"
        )
