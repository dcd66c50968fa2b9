"""Amaranth's simulator on a design with test benches, for no longer than it may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from amaranth import ClockDomain, Module
from amaranth.sim import Simulator

from ...errors import ScneuroError

__all__ = ["run_bench"]


def run_bench(
    design: Any,
    *benches: Callable[[Any], Any],
    max_cycles: int,
    background: Iterable[Callable[[Any], Any]] = (),
    period: float = 1e-6,
    what: str = "",
) -> None:
    """Run test benches until all are done.

    Parameters
    ----------
    design : Elaboratable
        One without a register is clocked all the same.
    *benches : async functions of a simulator context
    max_cycles : int
        Clocks after which a bench that is not done never will be.
    background : iterable of async functions
        Benches that need not be done.
    period : float
        Of the clock, in seconds.
    what : str
        What is waited for, for the message.

    Raises
    ------
    ScneuroError
        If a bench is not done after ``max_cycles`` clocks.
    """
    top = Module()
    top.domains.sync = ClockDomain()
    top.submodules.design = design

    async def guard(ctx: Any) -> None:
        await ctx.delay(max_cycles * period)
        raise ScneuroError(
            f"the simulation is not done after {max_cycles:,} clocks{what and ': '}{what}",
            "what it waits for may never come; if it may, raise max_cycles",
        )

    simulator = Simulator(top)
    simulator.add_clock(period)
    for bench in benches:
        simulator.add_testbench(bench)
    for bench in (*background, guard):
        simulator.add_testbench(bench, background=True)
    simulator.run()
