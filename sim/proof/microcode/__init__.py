"""The proof of a program: that its instructions compute the datapath, for all states and inputs.

The instructions are followed one by one, as the machine's clocks have them, with symbols for words:
what is read before it is there is a symbol of its own, of which nothing is known. The accumulator
is a polynomial in the words that were read, exactly, and the digits that were carried away. What is
written is a digit of such a sum: with digit(S, k) the k-th digit of S, the words digit(S, d),
digit(S, d + 1), ... hold S >> 15 d, if they are enough for it.

Then every node of the datapath whose value is kept, arguments first, is shown to be what its words
hold: the sum that its words are digits of is, as a polynomial in the digits of what it is made of,
what the node's operation says; a condition, that it is the sign of such a sum; a row of a table,
that the pointer was the table's address and the address of its row. Polynomials over integers are
equal if their coefficients are, so no solver is asked. That a node's value stays in its interval is
shown apart (``intervals.py``); its words are enough for that.
"""

from __future__ import annotations

from dataclasses import replace

from ....compiler.microcode import Microcode
from ....compiler.microcode.machine import Machine
from .check import Check
from .run import WRITES, Run

__all__ = ["faults"]


def faults(program: Microcode) -> tuple[list[str], int]:
    """What a program does otherwise than its datapath, and how many values were looked at.

    Parameters
    ----------
    program : Microcode

    Returns
    -------
    faults : list of str
        Empty if, for all states and inputs, a step leaves what the datapath says.
    count : int
    """
    lowered = program.lowered
    run = Run(program)
    found = run.faults
    path = lowered.path
    step = Check(run, program.kept, run.given)
    step.of(path.reachable())
    for name, places in program.states.items():
        words = [run.memory[place] for place in places]
        if not step.holds(words, step.value(path.outputs[name]), 0):
            found.append(f"the words of {name} are not its next state")
    if run.spike != step.value(path.outputs["spike"]):
        found.append("the spike is not the datapath's")
    after = {name: step.value(path.outputs[name]) for name in program.states}
    leads = lowered.words[next(iter(lowered.registers))]
    leaving = Check(run, program.leaving, {**run.given, **after})
    leaving.of(path.reachable((leads,)))
    if run.word is None or run.word != (leaving.value(leads), 0):
        found.append("the word that leaves is not the new state's")
    return [*found, *_writes(program), *_begins(program)], step.count + leaving.count


def _writes(program: Microcode) -> list[str]:
    """What is written that is to stay as it is: tables; and by what begins anew, all but states."""
    states = {place for places in program.states.values() for place in places}
    return [
        f"instruction {clock} writes what is to stay"
        for clock, (op, address) in enumerate(program.code)
        if op in WRITES
        and (address >= program.named if clock < program.begin else address not in states)
    ]


def _begins(program: Microcode) -> list[str]:
    """Whether the program's second part leaves the states as they are at first, from any memory."""
    written = {address for op, address in program.code if op in WRITES}
    memory = [~word if k in written else word for k, word in enumerate(program.memory)]
    machine = Machine(replace(program, memory=tuple(memory)))
    registers = program.lowered.registers
    return [
        f"a reset leaves {name} at {machine.state(name)}, not at {registers[name].init}"
        for name in program.states
        if machine.state(name) != registers[name].init
    ]
