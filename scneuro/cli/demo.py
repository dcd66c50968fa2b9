"""``scneuro demo``: all of it at once, with AdEx."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .options import STEPS, Commands, add_command, answer, chosen_steps

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands,
        "demo",
        run,
        "AdEx: float, integers and gates side by side, and its bitstream.",
        neuron=False,
    )
    parser.add_argument("-o", "--output", default="demo", metavar="DIR", help="(default: demo)")
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N", help="time steps")


def run(options: argparse.Namespace) -> int:
    """Compare AdEx at every fidelity, draw it, and build its bitstream meanwhile."""
    from dataclasses import asdict

    from .. import plot
    from ..boards import board, build_bitstream
    from ..neurons.adex import AdEx
    from ..signals import stimulus
    from ..sim import parity
    from ..tools.toolchain import say

    plot.require()
    output, steps = Path(options.output), chosen_steps(options) or STEPS
    neuron = AdEx()
    current = stimulus.ornstein_uhlenbeck(0.8, 0.4, 20.0, dt=neuron.dt, steps=steps, seed=1)

    say(f"AdEx (Brette and Gerstner 2005), {steps * neuron.dt:g} ms of fluctuating current")
    with ThreadPoolExecutor(1) as background:
        building = background.submit(build_bitstream, AdEx(), board("icebreaker"), output)
        result = parity(neuron, current)
        if not options.json:
            print(result)
        picture = output / "adex.png"
        plot.plot_recordings(
            {
                "float": result.float_run,
                "integers = gates" if result.bit_exact else "integers": result.fixed_run,
            },
            picture,
            units=neuron.units,
            title="AdEx under a fluctuating current: the paper's equations and the chip's bits",
            lsb={n: r.word.lsb for n, r in result.fixed.lowered.registers.items()},
        )
        if not building.done():
            say("building the iCEBreaker bitstream ...")
        report = building.result()
    figures = {"parity": result.figures(), "plot": str(picture), "build": asdict(report)}
    answer(options, figures, f"{report}\n  plot       {picture}")
    return 0 if result.ok else 1
