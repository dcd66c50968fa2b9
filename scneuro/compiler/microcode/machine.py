"""What the machine does, a clock at a time, in integers."""

from __future__ import annotations

from collections.abc import Mapping

from .digits import DIGIT
from .instructions import APART, Op
from .link import Microcode

__all__ = ["Machine"]


class Machine:
    """Runs a program as the hardware does.

    Attributes
    ----------
    memory : list of int
    spike : bool
    word : int
        What leaves.
    """

    def __init__(self, program: Microcode) -> None:
        self.program = program
        self.memory = list(program.memory)
        self.spike, self.word = False, 0
        self._x = self._accumulator = self._pointer = 0
        self._run(program.begin, [])

    def step(self, inputs: Mapping[str, int]) -> None:
        """A step with the inputs and draws of one."""
        self._run(0, [inputs[name] for name in self.program.externals])

    def state(self, name: str) -> int:
        """The register of a state."""
        words = [self.memory[place] for place in self.program.states[name]]
        return sum(word << DIGIT * k for k, word in enumerate(words))

    def _run(self, begin: int, given: list[int]) -> None:
        due: list[tuple[int, int, int]] = []  # clock, address (-1 for the pointer), word
        for clock, (op, address) in enumerate(self.program.code[begin:]):
            while due and due[0][0] <= clock:
                _, place, word = due.pop(0)
                if place < 0:
                    self._pointer = word
                else:
                    self.memory[place] = word
            if op in (Op.END, Op.REST):
                break
            self._do(op, address, given, due, clock + APART)
        for _, place, word in due:
            self.memory[place] = word

    def _do(
        self, op: Op, address: int, given: list[int], due: list[tuple[int, int, int]], then: int
    ) -> None:
        total = self._accumulator
        match op:
            case Op.LOAD:
                self._x = self.memory[address]
            case Op.THERE:
                self._x = self.memory[self._pointer]
            case Op.FIRST | Op.MORE | Op.NEXT:
                kept = {Op.FIRST: 0, Op.MORE: total, Op.NEXT: total >> DIGIT}[op]
                total = kept + self._x * self.memory[address]
                half = 1 << (self.program.accumulator - 1)
                self._accumulator = ((total + half) & (2 * half - 1)) - half
            case Op.POINT:
                due.append((then, -1, total & ((1 << self.program.pointer) - 1)))
            case Op.STORE:
                due.append((then, address, total & ((1 << DIGIT) - 1)))
            case Op.LAST:
                due.append((then, address, _signed(total)))
            case Op.SIGN:
                due.append((then, address, int(total >= 0)))
            case Op.TAKE:
                due.append((then, address, _signed(given[address])))
            case Op.SPIKE:
                self.spike = bool(total & 1)
            case Op.WORD:
                self.word = _signed(total)


def _signed(value: int) -> int:
    """The low 16 bits, as a signed word."""
    half = 1 << DIGIT
    return ((value + half) & (2 * half - 1)) - half
