"""``scneuro live``: a board that is watched while it runs."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ScneuroError
from ..tools.files import check_writable
from . import complete
from .network import ready
from .options import (
    Commands,
    add_baud,
    add_clock,
    add_command,
    add_population,
    add_start,
    answer,
    chosen_inputs,
    chosen_network,
    chosen_steps,
    chosen_target,
)
from .run import SIMULATED, add_port, connector

if TYPE_CHECKING:
    from ..network import Network
    from ..neuron import Neuron
    from ..population import Population
    from ..sim.watch.choice import Choice
    from ..sim.watch.watch import Watch

__all__ = ["add", "run"]

_DRAWN = 1_000  # steps
_ONE_IN = 10  # steps: a random spike of each neuron of an input


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands,
        "live",
        run,
        "Watch a board while it runs: a page with spikes, traces and sliders.",
        network=True,
    )
    add_port(parser)
    add_clock(parser)
    add_baud(parser)
    add_population(parser)
    parser.add_argument("--current", type=float, metavar="X", help="hold the first input at X")
    given = parser.add_argument(
        "--input",
        action="append",
        metavar="NAME=VALUE",
        dest="inputs",
        help="hold an input at a number at first; of one that takes spikes, their rate in Hz",
    )
    complete.offer(given, complete.inputs)
    add_start(parser)
    parser.add_argument(
        "--flat-out",
        action="store_true",
        help="of a simulated board: steps as fast as it can, not in real time",
    )
    parser.add_argument(
        "--every-step",
        action="store_true",
        help="read states after each step, slower than real time; the page can change it",
    )
    page = parser.add_argument_group("the page")
    page.add_argument(
        "--trace", action="append", metavar="STATE", help="a state, or POPULATION.STATE, to trace"
    )
    page.add_argument("--of", metavar="LIST", help="of these neurons, such as 0,3-5 (default 0-2)")
    page.add_argument("--read-only", action="store_true", help="nothing can be changed on it")
    page.add_argument("--http", type=int, default=0, metavar="PORT", help="of the page; 0 is any")
    page.add_argument(
        "--stay", action="store_true", help="go on when the last browser has left the page"
    )
    page.add_argument(
        "--folder", default=".", metavar="DIR", help="where what is recorded goes (default here)"
    )
    drawn = parser.add_argument_group("with matplotlib, instead of a page")
    drawn.add_argument(
        "--plot", action="store_true", dest="window", help="a window; with -o, a figure"
    )
    drawn.add_argument("-o", "--output", metavar="FILE", help="the figure: .png, .svg or .pdf")
    drawn.add_argument(
        "--steps", type=int, metavar="N", help=f"that the figure shows (default {_DRAWN})"
    )
    parser.set_defaults(stimulus=None)


def run(options: argparse.Namespace) -> int:
    """Watch it until there is nobody who does."""
    _check(options)
    network = chosen_network(options)
    target: Any = chosen_target(options) if network is None else network
    given = _given(options, target)
    if network is not None:
        ready(options, network)
    else:
        from ..network import Network

        network = Network.of(target)
    from ..sim.watch.watch import PACES, Watch

    choice = _choice(options, network)
    watch = Watch(
        connector(options, network, flat_out=options.flat_out),
        given=given,
        choice=choice,
        pace=PACES[0] if options.every_step or options.output else None,
        read_only=options.read_only,
        folder=Path(options.folder),
    )
    where = f"{watch.board}, at {options.port}"
    if options.port == SIMULATED:
        where = f"{watch.board}, simulated"
    if options.window:
        return _draw(options, watch, where)
    return _serve(options, watch, where)


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot be before anything is built."""
    if not options.read_only:
        check_writable(Path(options.folder) / "recording.npz")
    if options.output is not None or options.steps is not None:
        if not options.window:
            raise ValueError("-o and --steps are of a figure: --plot -o FILE")
        if options.output is None:
            raise ValueError("--steps is of a figure: -o FILE")
    if options.window:
        from ..plot import require
        from ..sim.watch.window import has_window

        require(options.output)
        if options.output is None and not has_window():
            raise ScneuroError(
                "matplotlib has no window here", "draw to a file, -o FILE, or leave out --plot"
            )
        return
    from ..sim.live.serve import listening
    from ..sim.watch import web  # noqa: F401

    listening(options.http, "serve a page at").close()


def _serve(options: argparse.Namespace, watch: Watch, where: str) -> int:
    """Serve the page until it ends."""
    from ..sim.watch.web.server import Served

    try:
        page = Served(watch, where, port=options.http, stays=options.stay)
        with page, watch:
            name = watch.network.name
            figures = {"target": name, "where": where, "url": page.url}
            text = (
                f"{name} on {where}\n  {page.url}\n"
                "  for this machine alone, and who has this address; Ctrl-C ends it"
            )
            if options.json:
                answer(options, figures, text)
            else:
                print(text)
            sys.stdout.flush()
            with suppress(KeyboardInterrupt):
                page.run()
    finally:
        watch.stop()
    return _ended(watch)


def _draw(options: argparse.Namespace, watch: Watch, where: str) -> int:
    """Draw a figure, or show a window until it is closed."""
    from ..sim.watch.window import Window, draw

    title = f"{watch.network.name} on {where}"
    try:
        if options.output is None:
            with watch:
                with suppress(KeyboardInterrupt):
                    Window(watch, title).run()
            return _ended(watch)
        steps = chosen_steps(options) or _DRAWN
        watch.make(steps)
        draw(watch, options.output, title, steps)
    finally:
        watch.stop()
    figures = {"target": watch.network.name, "where": where, "steps": steps, "plot": options.output}
    answer(options, figures, f"{title}: {steps:,} steps drawn to {options.output}")
    return 0


def _ended(watch: Watch) -> int:
    """Say what was left behind; what ended it, if it was not asked to."""
    if watch.trouble is not None:
        raise watch.trouble
    if recorded := watch.status.recorded:
        print(f"  recorded {recorded}", file=sys.stderr)
    return 0


def _given(options: argparse.Namespace, target: Neuron | Population | Network) -> dict[str, Any]:
    """What inputs are at first."""
    from ..network import Network
    from ..population import Population

    if isinstance(target, Network):
        return _given_to(options, target)
    neuron = target.neuron if isinstance(target, Population) else target
    given = chosen_inputs(options, neuron)
    if any(not isinstance(value, float) for value in given.values()):
        raise ValueError("--input: the page holds its inputs: give a number, not a file")
    for name, value in given.items():
        neuron.carried(name, value)
    first = next(iter(target.input_defaults))
    usual = target.spread_currents if isinstance(target, Population) else neuron.currents[0]
    return {**target.input_defaults, first: usual, **given}


def _given_to(options: argparse.Namespace, network: Network) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: 1000 / (_ONE_IN * network.dt)
        for name, source in network.inputs.items()
        if source.kind == "spikes"
    }
    for setting in options.inputs or ():
        name, _, text = setting.partition("=")
        try:
            found[name] = float(text)
        except ValueError:
            raise ValueError(f"--input {setting}: write NAME=VALUE, with a number") from None
    return found


def _choice(options: argparse.Namespace, network: Network) -> Choice:
    """What was asked to be traced, and else what is usual."""
    from ..sim.watch.choice import checked, numbered, usual

    layers = network.layers.items()
    there = [
        f"{name}.{state}"
        for name, layer in layers
        for state in (*layer.population.state_names, *layer.population.parameters)
    ]
    found = usual(network, there)
    output = network.outputs[0]
    if options.trace is not None:
        states = tuple(name if "." in name else f"{output}.{name}" for name in options.trace)
        found = replace(found, states=states)
    if options.of is not None:
        found = replace(found, neurons=numbered(options.of))
    return checked(found, network, there)
