"""The form a datapath takes in hardware."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Form"]


@dataclass(frozen=True)
class Form:
    """The form a datapath takes in hardware.

    Parameters
    ----------
    held : bool
        If its inputs stay the same until the result is there, as those of a single neuron do,
        values need no delay lines to arrive together.
    interval : int
        Clocks from one update that enters to the next; 1 is the only one yet.
    multipliers : int, optional
        DSP cells it may use, as many as it wants by default. What has none is multiplied in adders.

    Raises
    ------
    TypeError, ValueError
        A value that makes no sense.
    """

    held: bool = False
    interval: int = 1
    multipliers: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.held, bool):
            raise TypeError(f"held must be True or False, not {self.held!r}")
        if self.interval != 1:
            raise ValueError(f"interval must be 1, not {self.interval!r}: nothing is folded yet")
        wanted = self.multipliers
        if wanted is not None and (isinstance(wanted, bool) or not isinstance(wanted, int)):
            raise TypeError(f"multipliers must be a whole number or None, not {wanted!r}")
        if wanted is not None and wanted < 0:
            raise ValueError(f"multipliers must be at least 0, not {wanted}")

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
            return cls(usual.held if held is None else held, usual.interval, wanted)
        if not isinstance(form, Form):
            raise TypeError(f"form must be a Form, not {form!r}")
        if held is not None or dsp is not None:
            raise TypeError(f"give held and dsp, or {form!r}, not both")
        return form

    @property
    def dsp(self) -> bool | int:
        """:attr:`multipliers` as the keyword ``dsp`` says them."""
        return True if self.multipliers is None else self.multipliers

    def __str__(self) -> str:
        where = "in logic" if self.multipliers == 0 else "in DSPs"
        return f"{'held' if self.held else 'pipelined'}, {where}"
