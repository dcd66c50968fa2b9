"""What several commands share: their options, the neuron and the stimulus asked for, the answer."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import ScneuroError
from ..tools.places import is_nir
from . import complete

if TYPE_CHECKING:
    import numpy as np

    from ..boards import Board
    from ..hdl import Form
    from ..network import Network
    from ..neuron import Neuron
    from ..population import Population
    from ..sim.proof.invariants import Invariant
    from ..sim.proof.prove import Proof

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

__all__ = [
    "Commands",
    "add_baud",
    "add_board",
    "add_clock",
    "add_command",
    "add_files",
    "add_inputs",
    "add_network",
    "add_population",
    "add_start",
    "add_steps",
    "add_weights",
    "answer",
    "chosen_baud",
    "chosen_board",
    "chosen_currents",
    "chosen_inputs",
    "chosen_network",
    "chosen_neuron",
    "chosen_steps",
    "chosen_stimulus",
    "chosen_target",
    "part",
    "population_stimulus",
    "proved",
]

STEPS = 10_000
POPULATION_STEPS = 1_000
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
    network: bool = False,
    network_options: bool = True,
) -> argparse.ArgumentParser:
    """A command's parser, with ``--json``, and what says which neuron or network it is for.

    Without ``network_options``, it adds those by itself.
    """
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    parser._negative_number_matcher = _NEGATIVE  # argparse's own takes -5e1 for an option
    if neuron:
        named = parser.add_argument(
            "neuron",
            metavar="NEURON",
            help="a built-in name, path/to/file.py:Class, or path/to/file.py if it has one neuron"
            + "; or a network: net.nir, path/to/file.py:network" * network,
        )
        setting = parser.add_argument(
            "--set",
            action="append",
            metavar="NAME=VALUE",
            dest="settings",
            help="override a parameter, or a channel's as in Na.g=100",
        )
        preset = parser.add_argument("--preset", help="a published parameter set, such as RS")
        complete.offer(named, complete.neurons)
        complete.offer(setting, complete.parameters)
        complete.offer(preset, complete.presets)
        parser.add_argument(
            "--budget",
            type=float,
            metavar="LSB",
            help="what one step of a state may be off by in integers (default 1)",
        )
    if network and network_options:
        add_network(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for machines")
    return parser


def add_population(parser: argparse.ArgumentParser) -> None:
    """``--neurons``, ``--lanes`` and ``--interval``."""
    parser.add_argument(
        "--neurons", type=int, metavar="N", help="a population of so many that share a datapath"
    )
    parser.add_argument(
        "--lanes",
        type=int,
        metavar="L",
        help="its datapaths side by side, a power of two; weights a network adds in a clock",
    )
    parser.add_argument(
        "--interval", type=int, metavar="K", help="clocks from one neuron to the next, 1 to 16"
    )
    given = parser.add_argument(
        "--vary",
        action="append",
        metavar="NAME=FILE",
        help="a parameter or an initial state of each neuron: a .npy or .csv of N, or LOW:HIGH",
    )
    complete.offer(given, complete.parameters)


def add_microcode(parser: argparse.ArgumentParser) -> None:
    """``--microcode``."""
    parser.add_argument(
        "--microcode",
        action="store_true",
        default=None,
        help="a single neuron as a program: the least logic, a few hundred clocks a step",
    )


def add_network(parser: argparse.ArgumentParser, *, bits: bool = True) -> argparse._ArgumentGroup:
    """The options of networks, ``net.nir`` or ``file.py:network``; the group that they are in."""
    group = parser.add_argument_group(
        "networks", "where NEURON is net.nir, or file.py:network, a Network or what returns one"
    )
    group.add_argument("--dt", type=float, metavar="MS", help="time step of a NIR file")
    group.add_argument(
        "--method", choices=("euler", "exact"), help="of a NIR file's neurons (default euler)"
    )
    group.add_argument(
        "--reset",
        choices=("value", "subtract"),
        help="what a spike does in a NIR file (default value)",
    )
    if bits:
        group.add_argument(
            "--bits",
            action="append",
            metavar="N|NODE=N",
            help="of a NIR file's weights, of all or of a node's (default 8)",
        )
    group.add_argument(
        "--point", action="append", metavar="NODE=N", help="fraction bits of a NIR node's weights"
    )
    group.add_argument(
        "--word",
        action="append",
        metavar="NODE.NAME=Q",
        help="of a NIR neuron's state or input, such as lif.v=Q2.14",
    )
    group.add_argument(
        "--input-kind",
        choices=("spikes", "current"),
        help="what a NIR file's inputs take (default spikes)",
    )
    group.add_argument(
        "--outputs",
        choices=("spikes", "counts", "both"),
        help="what leaves of a NIR file's outputs (default spikes)",
    )
    group.add_argument(
        "--calibrate",
        action="append",
        metavar="[NAME=]FILE",
        help="choose the words by a run over these inputs",
    )
    return group


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """``--current``, ``--stimulus`` and ``--input``."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--current", type=float, metavar="X", help="hold the first input at X")
    group.add_argument(
        "--stimulus",
        metavar="FILE",
        help="a .npy or .csv, a row per step and a column for each input it drives",
    )
    given = parser.add_argument(
        "--input",
        action="append",
        metavar="NAME=VALUE",
        dest="inputs",
        help="hold any input at a number, or drive it with a file; once for each",
    )
    complete.offer(given, complete.inputs)


def add_steps(parser: argparse.ArgumentParser, steps: str = str(STEPS)) -> None:
    """``--steps``; ``steps`` says how many there are without."""
    parser.add_argument("--steps", type=int, metavar="N", help=f"time steps (default {steps})")


def add_start(parser: argparse.ArgumentParser) -> None:
    """``--init`` and ``--seed``."""
    start = parser.add_argument(
        "--init",
        action="append",
        metavar="NAME=VALUE",
        dest="initial",
        help="start a state there; once for each",
    )
    complete.offer(start, complete.states)
    parser.add_argument(
        "--seed", type=int, metavar="N", dest="noise_seed", help="of its noise (default 1)"
    )


def add_files(parser: argparse.ArgumentParser) -> None:
    """``--plot`` and ``-o``."""
    parser.add_argument("--plot", metavar="FILE", help="draw it: .png, .svg or .pdf")
    parser.add_argument(
        "-o", "--output", metavar="FILE.npz", help="save the traces; folders that miss are made"
    )


def add_board(parser: argparse.ArgumentParser) -> None:
    """``--board``."""
    board = parser.add_argument(
        "--board", required=True, help="such as icebreaker; see `scneuro list`"
    )
    complete.offer(board, complete.boards)


def add_clock(parser: argparse.ArgumentParser) -> None:
    """``--clock``."""
    parser.add_argument(
        "--clock", type=float, metavar="MHZ", help="a PLL's, instead of the board's own"
    )


def add_weights(parser: argparse.ArgumentParser) -> None:
    """``--weights``."""
    parser.add_argument(
        "--weights",
        choices=("host", "flash"),
        default="host",
        help="who brings a network's weights where block RAM has no room (default host)",
    )


def add_baud(parser: argparse.ArgumentParser) -> None:
    """``--baud``."""
    parser.add_argument("--baud", type=int, metavar="N", help="of the UART (default 1,000,000)")


# -- what was said --------------------------------------------------------------------------------
_OF_NIR = ("dt", "method", "reset", "bits", "point", "word", "input_kind", "outputs")
_OF_NETWORKS = (*_OF_NIR, "calibrate", "rate", "labels")
_OF_NEURONS = {
    "settings": "set",
    "initial": "init",
    **{n: n for n in ("preset", "current", "neurons", "interval", "vary", "plot")},
    "microcode": "microcode",
    **{n: n for n in ("intervals", "guards", "currents")},
}


def chosen_network(options: argparse.Namespace) -> Network | None:
    """The network asked for; None if a neuron was.

    Raises
    ------
    ScneuroError, ValueError, TypeError
        As for :func:`scneuro.load.load_network`, or an option that is not of networks.
    """
    from ..load import load_network

    given = {n: v for n in _OF_NIR if (v := getattr(options, n, None)) is not None}
    if not is_nir(options.neuron):
        network = load_network(options.neuron)
        there = [n for n in _OF_NETWORKS if getattr(options, n, None) is not None]
        if network is None and there:
            raise ValueError(f"--{_spelt(there[0])} is of networks, and {options.neuron} is none")
        if given:
            raise ValueError(
                f"--{_spelt(next(iter(given)))} is of NIR files; {options.neuron} says it itself"
            )
    else:
        if "dt" not in given:
            raise ScneuroError(
                f"{options.neuron}: a NIR file has no time step", "give it in ms: --dt 1"
            )
        network = load_network(options.neuron, **_nir_options(given))
    if network is not None:
        for name, option in _OF_NEURONS.items():
            if getattr(options, name, None) is not None:
                raise ValueError(f"--{option} is not of networks")
        if options.budget is not None:
            for layer in network.layers.values():
                for neuron in (layer.population.neuron, layer.population.one):
                    neuron.budget = _budget(options.budget)
    return network


def _budget(given: float) -> float:
    if not 0 < given < float("inf"):
        raise ValueError(f"--budget must be a positive number of LSB, not {given:g}")
    return given


def _nir_options(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ``read_nir`` that were given."""
    found: dict[str, Any] = {
        n: given[n] for n in ("dt", "method", "reset", "outputs") if n in given
    }
    if "input_kind" in given:
        found["inputs"] = given["input_kind"]
    several: dict[str, int] = {}
    for setting in given.get("bits", ()):
        if "=" in setting:
            name, number = _whole("--bits", setting)
            several[name] = number
        elif not setting.isdecimal():
            raise ValueError(f"--bits {setting}: write a whole number, or NODE=N")
        else:
            found["bits"] = int(setting)
    if several and "bits" in found:
        raise ValueError("--bits is given for all nodes and for some")
    if several:
        found["bits"] = several
    if "point" in given:
        found["points"] = dict(_whole("--point", setting) for setting in given["point"])
    words: dict[str, dict[str, str]] = {}
    for setting in given.get("word", ()):
        name, word = _named("--word", setting)
        node, dot, variable = name.rpartition(".")
        if not dot:
            raise ValueError(f"--word {setting}: write NODE.NAME=Q2.14")
        words.setdefault(node, {})[variable] = word
    return found | ({"words": words} if words else {})


def _whole(option: str, setting: str) -> tuple[str, int]:
    name, text = _named(option, setting)
    try:
        return name, int(text)
    except ValueError:
        raise ValueError(f"{option} {setting}: {text!r} is no whole number") from None


def _spelt(name: str) -> str:
    return name.replace("_", "-")


def chosen_neuron(options: argparse.Namespace) -> Neuron:
    """The neuron asked for.

    Raises
    ------
    ScneuroError, ValueError, TypeError
        As for :func:`scneuro.load.make_neuron`; a network, which not every command takes.
    """
    from ..load import load_network, make_neuron

    if is_nir(options.neuron) or load_network(options.neuron) is not None:
        raise ScneuroError(
            f"{options.neuron} is a network, which this command does not take",
            "plot, reference, list and flash do not; every other command takes networks",
        )
    neuron = make_neuron(options.neuron, preset=options.preset, settings=options.settings)
    if options.budget is not None:
        neuron.budget = _budget(options.budget)
    if (seed := getattr(options, "noise_seed", None)) is not None:
        neuron.seed = seed
        neuron.reset()
    start = getattr(options, "initial", None) or ()
    neuron.set_initial(**dict(_number("--init", setting) for setting in start))
    return neuron


def chosen_target(options: argparse.Namespace) -> Neuron | Population:
    """The neuron asked for, or a population of it where ``--neurons`` says of how many.

    Raises
    ------
    ScneuroError, ValueError, TypeError
        As for :func:`chosen_neuron`, and for :class:`scneuro.Population`.
    """
    neuron = chosen_neuron(options)
    if options.neurons is None:
        for name in ("lanes", "interval", "vary"):
            if getattr(options, name) is not None:
                raise ValueError(f"--{name} is of a population: say of how many with --neurons N")
        return neuron
    if getattr(options, "microcode", None):
        raise ValueError("--microcode is of a single neuron: leave out --neurons")
    from ..population import Population

    init: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for setting in options.vary or ():
        name, text = _named("--vary", setting)
        values = _values(setting, text, options.neurons)
        (init if name in neuron.state_names else parameters)[name] = values
    lanes = 1 if options.lanes is None else options.lanes
    interval = 1 if options.interval is None else options.interval
    return Population(
        neuron, options.neurons, lanes=lanes, interval=interval, init=init, parameters=parameters
    )


def _values(setting: str, text: str, count: int) -> np.ndarray:
    """What ``--vary`` says: the numbers of a file, or as many between two."""
    import numpy as np

    low, colon, high = text.partition(":")
    if colon:
        try:
            return np.linspace(float(low), float(high), max(count, 1))
        except ValueError:
            pass
    from ..signals import stimulus

    values = stimulus.load(text)
    if len(values) != count:
        raise ValueError(f"--vary {setting}: the file has {len(values)} numbers, not {count}")
    return values


def _named(option: str, setting: str) -> tuple[str, str]:
    name, equals, text = setting.partition("=")
    if not equals or not name or not text:
        raise ValueError(f"{option} {setting}: write NAME=VALUE")
    return name, text


def _number(option: str, setting: str) -> tuple[str, float]:
    name, text = _named(option, setting)
    try:
        return name, float(text)
    except ValueError:
        raise ValueError(f"{option} {setting}: {text!r} is no number") from None


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


def chosen_inputs(options: argparse.Namespace, neuron: Neuron) -> dict[str, Any]:
    """What was said of the inputs, by name: a float to hold, or the values (T,) of a file.

    Raises
    ------
    ValueError, FileTrouble
        No such input or file, an input that is given twice, or files of different lengths.
    """
    from ..signals import stimulus

    given: dict[str, Any] = {}
    first = next(iter(neuron.input_defaults))
    if options.current is not None:
        given[first] = options.current
    if options.stimulus is not None:
        given |= stimulus.load_inputs(options.stimulus, list(neuron.input_defaults))
    for setting in options.inputs or ():
        name, text = _named("--input", setting)
        if name not in neuron.input_defaults:
            there = ", ".join(neuron.input_defaults)
            raise ValueError(f"--input {setting}: {neuron.name} has the inputs {there}")
        if name in given:
            raise ValueError(f"--input {setting}: {name} is given twice")
        try:
            given[name] = float(text)
        except ValueError:
            given[name] = stimulus.load(text)
    lengths = {name: len(values) for name, values in given.items() if not isinstance(values, float)}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {count}" for name, count in lengths.items())
        raise ValueError(f"the files of the inputs have different numbers of steps: {said}")
    return given


def chosen_stimulus(
    options: argparse.Namespace, neuron: Neuron, usual: int = STEPS
) -> dict[str, np.ndarray]:
    """The values of the inputs, by name, one for every step; the first is always among them.

    ``usual`` are the steps where nothing says how many.

    Raises
    ------
    ValueError, FileTrouble
        Less than one step, more than a file has, or as for :func:`chosen_inputs`.
    """
    from ..signals import stimulus

    steps, given = chosen_steps(options), chosen_inputs(options, neuron)
    given = {next(iter(neuron.input_defaults)): float(neuron.currents[0]), **given}
    for name, values in given.items():
        if isinstance(values, float):
            continue
        if steps is not None and steps > len(values):
            raise ValueError(f"--steps {steps}, but the file of {name} has {len(values)}")
        steps = steps or len(values)
    return {
        name: stimulus.constant(values, steps or usual)
        if isinstance(values, float)
        else values[:steps]
        for name, values in given.items()
    }


def population_stimulus(
    options: argparse.Namespace, population: Population, steps: int = POPULATION_STEPS
) -> dict[str, np.ndarray]:
    """The values of a population's inputs, by name: (T,), the same for all, or (T, N).

    Without any, the neurons are held at currents from half the first typical one to half as much
    again. A ``--stimulus`` file has a column for each neuron.

    Raises
    ------
    ValueError, FileTrouble
        As for :func:`chosen_stimulus`, or a file with columns for another number of neurons.
    """
    import numpy as np

    from ..signals import stimulus

    steps = chosen_steps(options) or steps
    first = next(iter(population.input_defaults))
    columns = None
    if options.stimulus is not None:
        columns = stimulus.load_table(options.stimulus, population.count)
        if options.steps is not None and options.steps > len(columns):
            raise ValueError(f"--steps {options.steps}, but {options.stimulus} has {len(columns)}")
        steps = options.steps or len(columns)
    options_without = argparse.Namespace(**{**vars(options), "stimulus": None})
    given = chosen_inputs(options_without, population.neuron)
    found: dict[str, np.ndarray] = {}
    for name, values in given.items():
        whole = np.full(steps, values) if isinstance(values, float) else np.asarray(values)
        if len(whole) < steps:
            raise ValueError(f"--steps {steps}, but the file of {name} has {len(whole)}")
        found[name] = whole[:steps]
    if columns is not None:
        found[first] = columns[:steps]
    elif first not in found:
        found[first] = np.broadcast_to(population.spread_currents, (steps, population.count))
    return found


def chosen_board(options: argparse.Namespace) -> Board:
    """The board asked for, with its clock.

    Raises
    ------
    ValueError
        There is none of that name, or no PLL makes that clock.
    """
    from ..boards import board

    target = board(options.board)
    if getattr(options, "microcode", None):
        target = target.with_microcode()
    if getattr(options, "clock", None) is None:
        return target
    if not 0 < options.clock < 1000:
        raise ValueError(f"--clock must be a number of MHz, not {options.clock:g}")
    return target.with_clock(options.clock * 1e6)


def chosen_form(options: argparse.Namespace) -> Form | None:
    """The form of a single neuron that was asked for, if one was."""
    from ..hdl import Form

    return Form(held=True, microcode=True) if options.microcode else None


def chosen_baud(options: argparse.Namespace) -> int:
    """The baud rate asked for, or that of every design."""
    from ..hdl.top import BAUD

    return BAUD if options.baud is None else int(options.baud)


def chosen_currents(options: argparse.Namespace, count: int) -> np.ndarray | None:
    """So many currents over the range that ``--currents`` says, if it was said.

    Raises
    ------
    ValueError
        If it does not begin below its end.
    """
    import numpy as np

    if options.currents is None:
        return None
    low, high = options.currents
    if not low < high:
        raise ValueError(f"--currents {low:g} {high:g}: the first must be below the last")
    return np.linspace(low, high, count)


def proved(
    options: argparse.Namespace,
    lines: Iterable[str],
    proofs: Sequence[Proof],
    claims: Sequence[Invariant],
    **figures: Any,
) -> int:
    """Print proofs, in ``lines``, and claims; 1 if any fails, 2 if one ran out of time."""
    figures["invariants"] = [vars(claim) for claim in claims]
    answer(options, figures, "\n".join([*lines, *map(str, claims)]))
    if any(p.failures for p in proofs) or not all(c.ok for c in claims):
        return 1
    return 2 if any(p.undecided for p in proofs) else 0


def part(more: Mapping[str, Any]) -> str:
    """A line that says how far a run came that did not come to its end."""
    if "part" not in more:
        return ""
    return f"\n  this is a part: {more['part']['steps']:,} of {more['part']['of']:,} steps"


def answer(options: argparse.Namespace, figures: Any, text: Any) -> None:
    """Print what a command found: ``figures`` for machines, or ``text``."""
    print(json.dumps(figures, indent=2) if options.json else text)
