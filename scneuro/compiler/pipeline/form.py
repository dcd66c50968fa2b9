"""The form a datapath takes in hardware."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...given import whole

__all__ = ["DEEPEST", "LONGEST", "Form"]

#: Clocks between two updates, at most.
LONGEST = 16

#: What a stage has time for behind a memory, at most.
DEEPEST = 2


@dataclass(frozen=True)
class Form:
    """The form a datapath takes in hardware.

    Parameters
    ----------
    held : bool
        If its inputs stay the same until the result is there, as those of a single neuron do,
        values need no delay lines to arrive together.
    interval : int
        Clocks from one update that enters to the next, 1 to 16 where it is ``stored``: a value
        that waits needs one register for so many clocks, not for each. Where it is ``held``, after
        how many clocks its operations come round again. Those of different clocks share units.
    multipliers : int, optional
        DSP cells it may use, as many as it wants by default: each multiplies once a clock of the
        ``interval``. What has none is multiplied in adders.
    stored : bool
        If its states and inputs lie in memories, as those of a population do: each is read in the
        clock that needs it first, and a state is written as soon as it is there.
    rams : int
        Block RAMs that long delays may use where it is ``stored``, 16 bits each.
    deep : int
        What a clock has time for behind a memory, where it is ``stored``: 0 for a register alone,
        so that what is stored comes from one, 1 for another memory, 2 for an adder, and for logic
        behind one.
    complements : bool
        If, where it is ``stored``, a register that is only subtracted holds its complement: an
        iCE40 inverts before a register for nothing, but not before an adder.
    joint : bool
        If, where it folds, a table goes into the rows that the memory of another leaves unused.
    single : bool
        If, where it is ``stored``, the states lie in memories of one port, which read or write in a
        clock: an update takes two clocks at least.
    microcode : bool
        If, where it is ``held``, it is a program: its operations come one after the other to a
        multiplier, and its states and tables lie in a memory. It takes the least logic, and a few
        hundred clocks.

    Raises
    ------
    TypeError, ValueError
        A value that makes no sense.
    """

    held: bool = False
    interval: int = 1
    multipliers: int | None = None
    stored: bool = False
    rams: int = 0
    deep: int = 0
    complements: bool = False
    joint: bool = False
    single: bool = False
    microcode: bool = False

    def __post_init__(self) -> None:
        for name in ("held", "stored", "complements", "joint", "single", "microcode"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if self.held and self.stored:
            raise ValueError("a form is held or stored, not both: what is stored is read once")
        self._whole("interval", 1, LONGEST)
        if self.folds and not (self.stored or self.held):
            raise ValueError(
                f"interval must be 1, not {self.interval}: what is neither held nor stored is not "
                "folded"
            )
        if self.joint and not self.folds:
            raise ValueError("tables that share a memory take an interval of 2 or more")
        if self.single and not (self.stored and self.folds):
            raise ValueError(
                "a memory of one port takes a stored form, and an interval of 2 or more"
            )
        if self.microcode and (not self.held or self.folds):
            raise ValueError("a program takes a held form, and an interval of 1")
        self._whole("rams", 0)
        self._whole("deep", 0, DEEPEST)
        if self.multipliers is not None:
            self._whole("multipliers", 0, otherwise=" or None")

    def _whole(self, name: str, least: int, most: int | None = None, otherwise: str = "") -> None:
        checked = whole(name, getattr(self, name), least, most, otherwise=otherwise)
        object.__setattr__(self, name, checked)

    @classmethod
    def of(
        cls,
        form: Form | None,
        *,
        held: bool | None = None,
        dsp: bool | int | None = None,
        usual: Form | None = None,
    ) -> Form:
        """The form that is given, as one or by keywords.

        Parameters
        ----------
        form : Form, optional
        held : bool, optional
        dsp : bool or int, optional
            True for as many multipliers as it wants, False for none, or how many.
        usual : Form, optional
            What is not given.

        Raises
        ------
        TypeError
            If it is given both ways.
        """
        usual = usual or cls()
        if form is None:
            wanted = usual.multipliers if dsp is None else None if dsp is True else int(dsp)
            return replace(usual, held=usual.held if held is None else held, multipliers=wanted)
        if not isinstance(form, Form):
            raise TypeError(f"form must be a Form, not {form!r}")
        if held is not None or dsp is not None:
            raise TypeError(f"give held and dsp, or {form!r}, not both")
        return form

    @property
    def folds(self) -> bool:
        """Whether operations of different clocks share what computes them."""
        return self.interval > 1

    @property
    def first(self) -> int:
        """The stage in which the first of what is stored is there: its memory is read in the one
        before, and where there is a register behind that, in the one before it.
        """
        return int(self.stored and self.deep == 0)

    @property
    def dsp(self) -> bool | int:
        """:attr:`multipliers` as the keyword ``dsp`` says them."""
        return True if self.multipliers is None else self.multipliers

    def __str__(self) -> str:
        where = "in logic" if self.multipliers == 0 else "in DSPs"
        if self.microcode:
            return f"a program, its multiplier {'of logic' if self.multipliers == 0 else 'a DSP'}"
        every = f"every {self.interval} clocks, " if self.folds else ""
        if not self.stored:
            return f"{'held' if self.held else 'pipelined'}, {every}{where}"
        deep = "in deep stages, " if self.deep == DEEPEST else ""
        return f"stored, {every}{deep}{where}"
