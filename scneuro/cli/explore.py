"""``scneuro explore``: the design space of a neuron or a network on a board."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .network import explore_network
from .options import (
    Commands,
    add_board,
    add_command,
    add_network,
    answer,
    chosen_currents,
    chosen_network,
    chosen_neuron,
    chosen_steps,
)

if TYPE_CHECKING:
    from ..boards import Board
    from ..sim.explore import Space

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands,
        "explore",
        run,
        "Try many ways of making a neuron or a network: area, speed, fidelity.",
        network=True,
        network_options=False,
    )
    add_board(parser)
    for name, kind, help_text in (
        ("neurons", int, "sizes of populations that share a datapath; without, a single neuron"),
        ("lanes", int, "of a population: datapaths side by side (default 1,2); of a network: "
         "weights a clock (default 4,8,16)"),
        ("intervals", int, "of a population: clocks from one neuron to the next (default 1,2,4)"),
        ("budgets", float, "LSB a step (default 4,1,0.25; of a population 1, of a network its "
         "own)"),
        ("guards", _guard, "guard bits of every state, or rule (default)"),
        ("seeds", int, "of placement (default 1,2)"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=_list(kind), metavar="LIST", help=help_text)
    parser.add_argument(
        "--currents",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="the first and the last current of the comparison with float",
    )
    parser.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="at each current (default: 1 s, but 20,000 at most)"
        "; of a network 200, or all of its stimulus",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes on this machine (default: its cores)"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a dask cluster, instead: tcp://host:8786"
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR")
    group = add_network(parser, bits=False)
    group.add_argument(
        "--bits",
        type=_list(int),
        metavar="LIST",
        dest="widths",
        help="of every weight (default: as it is)",
    )
    group.add_argument(
        "--stimulus",
        metavar="FILE",
        help="a .npy of (T, N), or (T, B, N) for B runs (default: random)",
    )
    group.add_argument(
        "--input", action="append", metavar="NAME=FILE", dest="inputs", help="the same of one input"
    )
    group.add_argument("--labels", metavar="FILE", help="a .npy of the class of each run, (B,)")


def run(options: argparse.Namespace) -> int:
    """Try every point; write a table, a picture and a page. Points that fail are rows."""
    from ..boards import board
    from ..sim.explore.page import text

    if options.workers is not None and options.scheduler is not None:
        raise ValueError("--workers are processes on this machine; a --scheduler has its own")
    if options.budget is not None and options.budgets is not None:
        raise ValueError("give --budget or --budgets, not both")
    target, network = board(options.board), chosen_network(options)
    if network is None:
        found = _neuron(options, target)
    else:
        found = explore_network(options, network, target)
    answer(options, found.figures(), text(found))
    if not options.json:
        print(f"  written    {options.output}: explore.html, explore.json, explore.md, pareto.svg")
    return 0


def _neuron(options: argparse.Namespace, target: Board) -> Any:
    """Try every point of a neuron; what was found."""
    from ..sim.explore import explore
    from ..sim.explore.fidelity import CURRENTS

    neuron, steps = chosen_neuron(options), chosen_steps(options)
    for name, option in (("widths", "bits"), ("stimulus", "stimulus"), ("inputs", "input")):
        if getattr(options, name) is not None:
            raise ValueError(f"--{option} is of networks here, and {options.neuron} is none")
    return explore(
        neuron,
        target,
        options.output,
        _space(options),
        currents=chosen_currents(options, CURRENTS),
        steps=steps,
        workers=options.workers,
        scheduler=options.scheduler,
    )


def _space(options: argparse.Namespace) -> Space:
    """What was asked for, and for the rest what is usual."""
    from ..sim.explore import Space

    space = Space.usual(options.neurons or ())
    if options.budget is not None:
        space = replace(space, budgets=(None,))
    given = {
        name: getattr(options, name)
        for name in ("lanes", "intervals", "budgets", "guards", "seeds")
        if getattr(options, name) is not None
    }
    return replace(space, **given)


def _list(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """What reads values with commas between them."""

    def read(text: str) -> tuple[Any, ...]:
        try:
            return tuple(kind(part) for part in text.split(","))
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no list of numbers such as 1,2,4"
            ) from None

    return read


def _guard(text: str) -> int | None:
    return None if text == "rule" else int(text)
