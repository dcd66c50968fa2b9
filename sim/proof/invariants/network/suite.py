"""All that holds for ever of a network's hardware, outside its datapaths."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from .....hdl import Form
from .....hdl.link.frames import Frames
from .....hdl.link.line import Line
from .....hdl.link.processor import PROGRAM, Processor
from .....hdl.network import Network as Gates
from .....hdl.network.access import Access
from .....hdl.network.core import Core
from .....hdl.network.counts import Counts
from .....hdl.network.scan import Scan
from .....hdl.network.synapses import Synapses
from .....link.regions import Region
from .....network import Conv2d, Dense, Network, Scale, need_network
from .....network.grid import Loop, Places
from .....network.plan import Add, Cells, Deliver, Plan, Totals
from .....neurons.lif import LIF
from .....population import Population
from .....stochastic import Stochastic
from ..harness import Harness
from ..link import frames, processor
from ..population.suite import small
from ..solver import Invariant, Make, prove_claims
from ..uart import line
from .access import access, memories
from .core import core
from .counts import counts
from .ends import ends
from .events import events
from .intake import intake
from .scan import scan
from .spikes import spikes
from .synapses import synapses

__all__ = ["FEW_REGIONS", "few_sums", "looped_network", "prove_network", "small_network"]

_Size: TypeAlias = tuple[
    int, int, int, int, int, bool, bool, bool, bool, tuple[int, int, int] | None
]
#: Lanes, rows of sums and bits of a sum; inputs, and the one that is looked at; whether there are
#: currents, whether all sums begin alike, whether the weights are loaded, and whether some are
#: drawn; and, of a convolution, rows of a place, and places across and down at most.
_SUMS: tuple[_Size, ...] = (
    (2, 3, 5, 1, 0, True, False, False, False, None),
    (2, 2, 6, 2, 1, True, False, False, False, None),
    (1, 6, 5, 1, 0, False, True, False, False, None),  # more rows than clocks from read to write
    (1, 2, 17, 1, 0, True, True, False, False, None),  # a sum that is wider than a word
    (2, 3, 6, 1, 0, False, False, True, False, None),
    (1, 6, 5, 1, 0, True, False, False, True, None),
    (1, 6, 3, 1, 0, False, True, False, False, (1, 2, 3)),
    (1, 8, 3, 1, 0, False, True, False, False, (2, 2, 2)),
)
#: Of one word and of two, with a sign and without, and one that is only read.
FEW_REGIONS = (
    Region("weights", 4, 2, 24, False, True),
    Region("p.v", 3, 1, 9, True, True),
    Region("p.w", 3, 2, 20, True, True),
    Region("p/spikes", 1, 1, 16, False, False),
)
#: Clocks of a bit of the link: the least there are, and those of 1 Mbaud at 12 MHz.
_DIVISORS = (4, 12)
#: Neurons, and clocks from one to the next.
_CORES = ((3, 1), (2, 3))
_COUNTS = (1, 3)  # rows


def few_sums(
    lanes: int,
    rows: int,
    width: int,
    ports: int,
    currents: bool,
    alike: bool,
    drawn: bool = False,
    looped: tuple[int, int, int] | None = None,
) -> Plan:
    """A plan with four rows of weights of three bits and a few sums, some of which begin unlike.

    Where it is ``drawn`` whether weights count, those add 5 or -6. Where it is ``looped``, there is
    a convolution besides: so many rows at a place, and places across and down at most.
    """
    weights = np.array([3, -4, 1, -1, 2, -3, -2, 0])[: 4 * lanes].reshape(4, lanes)
    begin = np.zeros((rows, lanes), np.int64) if alike else np.arange(rows * lanes) % 7 - 3
    totals = Totals(0, 0, rows, 0)
    work: list[Deliver | Add] = [Deliver(0, False, 1, 1, 0, 0, rows, totals, 0)]
    if looped:
        each = looped[0]
        loop = Loop(each, (each, -each), (3, -2 * each), math.prod(looped))
        work.append(Deliver(2, False, 1, 1, 0, 0, each, totals, 0, loop))
    if currents:
        work.append(Add(1, 2, 2, totals, 0))
    return Plan(
        lanes=lanes,
        bits=3,
        weights=weights,
        shifts=(0, 1),
        widths=(width,) * ports,
        bases=(begin.reshape(rows, lanes),) * ports,
        order=(("p", tuple(work)),),
        totals={("p", "I"): totals},
        spikes={"p": Cells(0, 1)},
        slots=1,
        input_slots=2,
        delay=0,
        frames=(),
        outputs=("p",),
        places={"p": Places(np.arange(rows * lanes), rows * lanes, lanes)},
        sources=np.array([(0, 0, *looped[1:])] if looped else np.zeros((0, 4)), np.int64),
        amounts=(5, -6) if drawn else (),
        draws=(Stochastic([[0.5]], 16),) if drawn else (),
    )


def small_network(neurons: int = 2) -> Network:
    """Two populations that excite each other, with spikes, currents and delays of all kinds."""
    network = Network("small")
    network.input("x", 2)
    network.input("c", 1, kind="current")
    network.population("p", LIF(), neurons)
    network.population("q", LIF(), 1)
    network.connect("x", "p", Stochastic(np.full((neurons, 2), 0.5), 16))
    network.connect("x", "p", Dense(np.ones((neurons, 2))))
    network.connect("x", "q", Dense(np.ones((1, 2))), delay=1)
    network.connect("c", "q", Scale(1.0))
    network.connect("p", "q", Dense(np.ones((1, neurons))))
    network.connect("q", "p", Dense(np.ones((neurons, 1))), delay=1)
    network.output("p", "q")
    return network


def looped_network() -> Network:
    """A convolution whose spikes go down or nowhere, and what reads it."""
    network = Network("looped")
    network.input("image", (1, 3, 3))
    network.population("p", LIF(), (2, 2, 2))
    network.population("q", LIF(), 1)
    network.connect("image", "p", Conv2d(np.ones((2, 1, 2, 1)), stride=(1, 2)))
    network.connect("p", "q", Dense(np.ones((1, 8))))
    network.output("q")
    return network


def _blocks(linked: bool) -> list[Make]:
    """The claims of the blocks that are the same for all networks."""

    def sums(size: _Size) -> Harness:
        lanes, rows, width, ports, port, currents, alike, loaded, drawn, looped = size
        plan = few_sums(lanes, rows, width, ports, currents, alike, drawn, looped)
        drops = (0, 1) if width > 16 else (0,)
        return synapses(Synapses(plan, drops, loaded=loaded, linked=linked), plan, port)

    found: list[Make] = [lambda: scan(Scan(1, 2)), lambda: frames(Frames())]
    found += [lambda rows=rows: counts(Counts(rows, linked=linked)) for rows in _COUNTS]  # type: ignore[misc]
    found += [lambda clocks=clocks: line(Line(clocks), clocks) for clocks in _DIVISORS]  # type: ignore[misc]
    looped, small_one = looped_network().fixed(), small_network().fixed()
    found += [
        lambda: events(Gates(looped, 1, linked=linked)),
        lambda: ends(Gates(looped, 1, linked=linked)),
        lambda: ends(Gates(small_one, linked=linked)),
    ]
    if linked:
        found.append(lambda: access(Access(FEW_REGIONS)))
        found.append(lambda: processor(Processor([0] * PROGRAM, [0] * PROGRAM)))
    return [*found, *(lambda size=size: sums(size) for size in _SUMS)]


def prove_network(
    network: Network | None = None, *, linked: bool = False, progress: bool = True
) -> list[Invariant]:
    """Prove what holds for ever of a network's hardware, outside its datapaths.

    By induction. The scan of spikes and the synapses are of a few words, rows and lanes. The order
    of a step, frames and spikes are the network's own, its populations few of their kind; when a
    step ends is shown of small networks, with a convolution and with all other kinds. Datapaths
    may compute anything, and words may come and leave at any time. Blocks promise each other what
    is assumed of them elsewhere.

    Parameters
    ----------
    network : Network, optional
        By default a small one.
    linked : bool
        Whether it is of hardware whose memories are read and written from outside.
    progress : bool

    Raises
    ------
    TypeError
        If it is no network.
    ScneuroError
        If a neuron brings its own hardware.
    ToolError
        If yosys, yosys-smtbmc or z3 is missing, or fails.
    """
    if network is None:
        network = small_network()
    need_network(network, "prove_network()")
    fixed = network.fixed()
    wanted = _blocks(linked)
    parts = [(intake, False), (intake, True), (spikes, False), (events, True)]
    if linked:
        parts = [(memories, False), (intake, False), (spikes, False), (events, True)]
    for part, loaded in parts:
        wanted.append(
            lambda of=part, how=loaded: of(Gates(fixed, loaded=how, linked=linked))  # type: ignore[misc]
        )
    done: set[tuple[type, bool]] = set()
    for name, layer in network.layers.items():
        neuron, apart = layer.population.neuron, not fixed.populations[name].is_uniform
        if (type(neuron), apart) in done:
            continue
        done.add((type(neuron), apart))
        for count, interval in _CORES:
            start = {n: np.resize(np.unique(v), count) for n, v in layer.population.start.items()}
            of = Population(neuron, count, init=start if apart else None)
            few = small(of, count, 1, interval)
            form = Form(interval=interval, stored=True)
            wanted.append(
                lambda few=few, form=form: core(Core(few, form, linked=linked), few)  # type: ignore[misc]
            )
    return prove_claims(network.name, wanted, progress=progress)
