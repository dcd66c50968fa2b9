"""What several commands share: their options, the neuron and the stimulus asked for, the answer."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    from ..neuron import Neuron

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

__all__ = [
    "Commands",
    "add_board",
    "add_command",
    "add_current",
    "add_stimulus",
    "answer",
    "chosen_neuron",
    "chosen_steps",
    "chosen_stimulus",
]

STEPS = 10_000
_MOST_STEPS = 1_000_000_000
_NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$|-inf$")


# -- what can be said -----------------------------------------------------------------------------
def add_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
    *,
    neuron: bool = True,
) -> argparse.ArgumentParser:
    """A command's parser, with ``--json``, and what says which neuron if it takes one."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    parser._negative_number_matcher = _NEGATIVE  # argparse's own takes -5e1 for an option
    if neuron:
        parser.add_argument(
            "neuron",
            metavar="NEURON",
            help="a built-in name, path/to/file.py:Class, or path/to/file.py if it has one neuron",
        )
        parser.add_argument(
            "--set",
            action="append",
            metavar="NAME=VALUE",
            dest="settings",
            help="override a parameter",
        )
        parser.add_argument("--preset", help="a published parameter set, such as RS")
        parser.add_argument(
            "--budget",
            type=float,
            metavar="LSB",
            help="what one step of a state may be off by in integers (default 1)",
        )
    parser.add_argument("--json", action="store_true", help="print JSON, for machines")
    return parser


def add_current(parser: Any) -> None:
    """``--current``."""
    parser.add_argument("--current", type=float, metavar="X", help="hold the first input at X")


def add_stimulus(parser: argparse.ArgumentParser, steps: str = str(STEPS)) -> None:
    """``--current``, ``--stimulus`` and ``--steps``; ``steps`` says how many there are without."""
    group = parser.add_mutually_exclusive_group()
    add_current(group)
    group.add_argument(
        "--stimulus",
        metavar="FILE",
        help="a .npy or .csv, a row per step and a column for each input it drives",
    )
    parser.add_argument("--steps", type=int, metavar="N", help=f"time steps (default {steps})")


def add_board(parser: argparse.ArgumentParser) -> None:
    """``--board``."""
    parser.add_argument("--board", required=True, help="such as icebreaker; see `scneuro list`")


# -- what was said --------------------------------------------------------------------------------
def chosen_neuron(options: argparse.Namespace) -> Neuron:
    """The neuron asked for.

    Raises
    ------
    ScneuroError, ValueError, TypeError
        As for :func:`scneuro.load.make_neuron`.
    """
    from ..load import make_neuron

    neuron = make_neuron(options.neuron, preset=options.preset, settings=options.settings)
    if options.budget is not None:
        if not 0 < options.budget < float("inf"):
            raise ValueError(f"--budget must be a positive number of LSB, not {options.budget:g}")
        neuron.budget = options.budget
    return neuron


def chosen_steps(options: argparse.Namespace) -> int | None:
    """The number of steps asked for, if any was.

    Raises
    ------
    ValueError
        If it is less than one, or more than any memory holds.
    """
    steps: int | None = options.steps
    if steps is not None and steps < 1:
        raise ValueError(f"--steps must be at least 1, not {steps}")
    if steps is not None and steps > _MOST_STEPS:
        raise ValueError(f"--steps must be at most {_MOST_STEPS:,}, not {steps:,}")
    return steps


def chosen_stimulus(options: argparse.Namespace, neuron: Neuron) -> dict[str, np.ndarray]:
    """The values of the inputs that are driven, by name, one for every step.

    Raises
    ------
    ValueError, FileTrouble
        Less than one step, more than a file has, or no such file.
    """
    from ..signals import stimulus

    steps = chosen_steps(options)
    if options.stimulus is not None:
        driven = stimulus.load_inputs(options.stimulus, list(neuron.input_defaults))
        count = len(next(iter(driven.values())))
        if steps is not None and steps > count:
            raise ValueError(f"--steps {steps}, but {options.stimulus} has {count}")
        return {name: values[:steps] for name, values in driven.items()}
    current = neuron.currents[0] if options.current is None else options.current
    return {next(iter(neuron.input_defaults)): stimulus.constant(current, steps or STEPS)}


def answer(options: argparse.Namespace, figures: Any, text: Any) -> None:
    """Print what a command found: ``figures`` for machines, or ``text``."""
    print(json.dumps(figures, indent=2) if options.json else text)
