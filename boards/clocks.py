"""A clock other than the board's own: what a PLL makes of it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Divided", "ecp5_pll", "ice40_pll"]


@dataclass(frozen=True)
class Divided:
    """The settings of a PLL.

    Attributes
    ----------
    source, hz : int
        Of what it makes what.
    settings : dict of str to int
        The cell's parameters.
    """

    source: int
    hz: int
    settings: dict[str, int]


def ice40_pll(source: int, wanted: int) -> Divided | None:
    """The settings of an ``SB_PLL40`` that come nearest to a clock, and not above it.

    The limits are Lattice's (FPGA-TN-02052): the oscillator at 533 to 1,066 MHz, the phase
    detector at 10 to 133 MHz, the output at 16 to 275 MHz.

    Parameters
    ----------
    source, wanted : int
        In Hz.
    """
    best: Divided | None = None
    for divr in range(16):
        reference = source / (divr + 1)
        if not 10e6 <= reference <= 133e6:
            continue
        for divf in range(128):
            oscillator = reference * (divf + 1)
            if not 533e6 <= oscillator <= 1066e6:
                continue
            for divq in range(1, 7):
                hz = oscillator / 2**divq
                if 16e6 <= hz <= min(275e6, wanted) and (best is None or hz > best.hz):
                    range_ = next(
                        k + 1
                        for k, most in enumerate((17e6, 26e6, 44e6, 66e6, 101e6, 134e6))
                        if reference <= most
                    )
                    settings = {"DIVR": divr, "DIVF": divf, "DIVQ": divq, "FILTER_RANGE": range_}
                    best = Divided(source, round(hz), settings)
    return best


def ecp5_pll(source: int, wanted: int) -> Divided | None:
    """The settings of an ``EHXPLLL`` that come nearest to a clock, and not above it.

    The limits are Lattice's (FPGA-TN-02200): the oscillator at 400 to 800 MHz, the phase detector
    at 3.125 to 400 MHz, the output at 3.125 to 400 MHz.
    """
    best: Divided | None = None
    for divide in range(1, 129):
        reference = source / divide
        if not 3.125e6 <= reference <= 400e6:
            continue
        for multiply in range(1, 81):
            hz = reference * multiply
            if not 3.125e6 <= hz <= min(400e6, wanted) or (best is not None and hz <= best.hz):
                continue
            ways = [k for k in range(1, 129) if 400e6 <= hz * k <= 800e6]
            if ways:
                settings = {"CLKI_DIV": divide, "CLKFB_DIV": multiply, "CLKOP_DIV": ways[0]}
                best = Divided(source, round(hz), settings)
    return best
