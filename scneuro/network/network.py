"""A network: populations, inputs and the projections between them, described once."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ScneuroError, did_you_mean
from ..given import whole
from ..neuron import Neuron, need_neuron
from ..population import Population
from ..stochastic.projection import Stochastic
from .calibrate import calibrate
from .counts import SENDS, where_of
from .maps import Drawn, Map, Scale, Shape, Sparse, chained
from .recording import NetworkRecording
from .run import FloatNetwork, run

if TYPE_CHECKING:
    from .fixed import FixedNetwork

__all__ = ["Layer", "Network", "Projection", "Source", "need_network", "network_of"]

_MOST_DELAY = 1024
_MARGIN = 2.0
_SEEDS, _MOST_SEED = 0x1E3779B9, (1 << 31) - 2
_TAKEN = ("self", "progress", "record", "margin", "engine", "lanes", "fixed")
_BITS = 8  # of a weight


@dataclass(frozen=True)
class Source:
    """An input of a network.

    Attributes
    ----------
    name : str
    shape : tuple of int
    kind : {"spikes", "current"}
        Spikes are whole numbers, 0 to ``most`` a step.
    most : int
    """

    name: str
    shape: Shape
    kind: str = "spikes"
    most: int = 1

    @property
    def count(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layer:
    """A population in a network.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Of its neurons, in C order.
    population : Population
    """

    name: str
    shape: Shape
    population: Population

    @property
    def count(self) -> int:
        return self.population.count


@dataclass(frozen=True, eq=False)
class Projection:
    """What spikes of one node add to an input of a population; each is one of its own.

    Attributes
    ----------
    source, target : str
        Names of nodes.
    map : Map
    to : str
        The input of the target's neurons.
    delay : int
        In steps. Without one, a spike arrives in the step in which it is fired.
    bits : int
        Of its weights in integers, the sign among them.
    point : int or None
        Fraction bits of its weights; None for as many as the largest weight leaves.
    """

    source: str
    target: str
    map: Map
    to: str
    delay: int = 0
    bits: int = 8
    point: int | None = None

    def __str__(self) -> str:
        return f"{self.source} > {self.target}"


@dataclass
class Network:
    """Populations of any neurons, inputs, and projections between them.

    In a time step, populations run in the order in which spikes reach them: what has no delay
    arrives within the step. What a neuron's input is given is the sum of what arrives, of the
    projections' biases and of the input's default.

    Parameters
    ----------
    name : str

    Attributes
    ----------
    inputs : dict of str to Source
    layers : dict of str to Layer
    projections : list of Projection
    outputs : list of str
        The populations that leave the chip; if none is named, those that project to none but
        themselves, or all.
    sends : dict of str to {"spikes", "counts", "both"}
        What leaves of each output.
    sent, counted : list of str
        The outputs whose spikes leave in every step, and those whose spikes are counted.
    notes : list of str
        What was assumed where it was read from a file.
    origin : Neuron or Population, optional
        What it was made :meth:`of`.

    Examples
    --------
    >>> from scneuro import LIF
    >>> net = Network()
    >>> net.input("x", 3)
    >>> net.population("out", LIF(), 2)
    >>> net.connect("x", "out", Dense([[40.0, 0, 40], [0, 40, 0]]))
    >>> spikes = net.run(x=np.ones((100, 3))).spikes["out"]
    """

    name: str = "network"
    inputs: dict[str, Source] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    projections: list[Projection] = field(default_factory=list)
    _outputs: dict[str, str] = field(default_factory=dict)
    _calibrated: dict[str, set[str]] = field(default_factory=dict, compare=False, repr=False)
    notes: list[str] = field(default_factory=list)
    origin: Neuron | Population | None = field(default=None, compare=False, repr=False)

    # -- describing it -----------------------------------------------------------------------
    @classmethod
    def of(cls, target: Neuron | Population, name: str | None = None) -> Network:
        """A neuron, or a population, as the network of one population.

        Each input of its neurons is an input of numbers, one for each of them, by the same name.
        Its integers are those of ``target.fixed()``, bit for bit. The population has the neuron's
        name, with a ``_`` behind it if an input has that, too; lanes and the interval of a
        population are none of a network's.

        Parameters
        ----------
        target : Neuron or Population
        name : str, optional
            Of the network; by default the neuron's.

        Raises
        ------
        TypeError
            If it is neither.
        """
        origin = target
        if isinstance(target, Neuron):
            target = Population(target, 1)
        elif not isinstance(target, Population):
            need_neuron(target, "Network.of()")
        neuron, count = target.neuron, target.count
        made = cls(neuron.name if name is None else name, origin=origin)
        for to in target.input_defaults:
            made.input(to, count, kind="current")
        there = neuron.name
        while there in made.inputs:
            there += "_"
        made.population(
            there, neuron, count, parameters=target.parameters or None, init=target.init or None
        )
        for to, default in target.input_defaults.items():
            made.connect(to, there, _instead(count, default), to=to)
        return made

    def input(self, name: str, shape: Any, *, kind: str = "spikes", most: int = 1) -> str:
        """Add an input.

        Parameters
        ----------
        name : str
        shape : int or tuple of int
        kind : {"spikes", "current"}
            Currents are numbers in the unit of the neurons' input; spikes are counts.
        most : int
            Spikes of one source in a step.

        Returns
        -------
        str
            Its name.
        """
        self._fresh(name)
        if kind not in ("spikes", "current"):
            raise ValueError(f"kind of {name} must be spikes or current, not {kind!r}")
        most = whole(f"most of {name}", most, 1, 255)
        self.inputs[name] = Source(name, _shape(shape, name), kind, most)
        return name

    def population(
        self,
        name: str,
        neuron: Neuron,
        shape: Any,
        *,
        parameters: Mapping[str, Any] | None = None,
        init: Mapping[str, Any] | None = None,
    ) -> str:
        """Add a population.

        Parameters
        ----------
        name : str
        neuron : Neuron
        shape : int or tuple of int
            Of its neurons: ``(channels, height, width)`` for convolutions.
        parameters, init : mapping of str to array, optional
            As of :class:`scneuro.Population`; arrays of ``shape``, or flat.

        Returns
        -------
        str
            Its name.
        """
        self._fresh(name)
        need_neuron(neuron, "Network.population()")
        neuron = self._apart(neuron)
        wanted = _shape(shape, name)
        flat = [
            {n: np.reshape(v, -1) if np.ndim(v) else v for n, v in (given or {}).items()}
            for given in (parameters, init)
        ]
        made = Population(neuron, math.prod(wanted), parameters=flat[0], init=flat[1])
        for other in self.layers.values():
            if other.population.dt != made.dt:
                raise ValueError(
                    f"{self.name}: {name} has a time step of {made.dt:g} ms, and {other.name} one "
                    f"of {other.population.dt:g}: give them the same dt"
                )
        self.layers[name] = Layer(name, wanted, made)
        return name

    def connect(
        self,
        source: str,
        target: str,
        maps: Map | Stochastic | Sequence[Map],
        *,
        to: str | None = None,
        delay: int = 0,
        bits: int = _BITS,
        point: int | None = None,
    ) -> Projection:
        """Project one node onto a population.

        Parameters
        ----------
        source, target : str
        maps : Map, or several, one after the other, or Stochastic
            Of a :class:`scneuro.Stochastic`, the words of its weights and their bits are those of
            its sources; see :class:`scneuro.network.maps.Drawn`.
        to : str, optional
            The input of the target's neurons; by default its first.
        delay : int
            In steps.
        bits : int
            Of a weight, 2 to 16.
        point : int, optional
            Fraction bits of the weights.

        Raises
        ------
        ValueError, TypeError
            Unknown names, shapes that do not fit, numbers out of range.
        """
        before = self._node(source)
        if target not in self.layers:
            self._node(target)
            raise ValueError(f"{self.name}: {target} is an input: nothing can project to it")
        after = self.layers[target]
        where = f"{self.name}: {source} > {target}"
        try:
            linked = _linked(maps, before, bits, point)
            made = linked.shape_out(before.shape)
        except (ValueError, TypeError) as error:
            raise type(error)(f"{where}: {error}") from None
        if math.prod(made) != after.count:
            raise ValueError(
                f"{where}: the map makes {_text(made)} of {_text(before.shape)}, and {target} has "
                f"{_text(after.shape)} neurons"
            )
        names = list(after.population.input_defaults)
        if to is not None and to not in names:
            near = did_you_mean(str(to), names)
            raise ValueError(
                f"{where}: {target} has no input {to!r}; it has {', '.join(names)}"
                + f". {near}" * bool(near)
            )
        delay = whole(f"{where}: delay", delay, 0, _MOST_DELAY)
        bits = linked.bits or whole(f"{where}: bits", bits, 2, 16)
        if point is not None:
            point = whole(f"{where}: point", point, -32, 32)
        if isinstance(before, Source) and before.kind == "current" and delay:
            raise ValueError(f"{where}: a current has no delay; shift what you give it")
        projection = Projection(source, target, linked, to or names[0], delay, bits, point)
        self.projections.append(projection)
        try:
            _ = self.order
        except ScneuroError:
            self.projections.pop()
            raise
        return projection

    def output(self, *names: str, sends: str = "spikes") -> None:
        """Name populations that leave the chip.

        Parameters
        ----------
        *names : str
            By default those that leave as it is.
        sends : {"spikes", "counts", "both"}
            Their spikes of every step, or how many each neuron fired since the last reset, which
            is asked for when it is wanted. A count has 16 bits and stays at 65,535. What was said
            last of an output holds.

        Raises
        ------
        ValueError
            No such population, another word than these, or a state or an input that is called
            ``counts``, as they are.
        """
        if sends not in SENDS:
            raise ValueError(f"sends must be one of {', '.join(SENDS)}, not {sends!r}")
        names = names or tuple(self.outputs)
        for name in names:
            if name not in self.layers:
                self._node(name)
                raise ValueError(f"{self.name}: {name} is an input, not a population")
            one = self.layers[name].population
            if sends != "spikes" and "counts" in (*one.state_names, *one.input_defaults):
                raise ValueError(
                    f"{self.name}: {name} has a state or an input called counts, and "
                    f"{where_of(name)} would be two things: call it something else"
                )
        self._outputs |= dict.fromkeys(names, sends)

    @property
    def nodes(self) -> dict[str, Source | Layer]:
        """Inputs and populations, by name."""
        return {**self.inputs, **self.layers}

    @property
    def outputs(self) -> list[str]:
        sources = {p.source for p in self.projections if p.source != p.target}
        last = [n for n in self.layers if n not in sources]
        return list(self._outputs) or last or list(self.layers)

    @property
    def sends(self) -> dict[str, str]:
        return {name: self._outputs.get(name, "spikes") for name in self.outputs}

    @property
    def sent(self) -> list[str]:
        return [name for name, what in self.sends.items() if what != "counts"]

    @property
    def counted(self) -> list[str]:
        return [name for name, what in self.sends.items() if what != "spikes"]

    # -- what follows from it ----------------------------------------------------------------
    @property
    def dt(self) -> float:
        """The time step, in ms."""
        self._whole()
        return next(iter(self.layers.values())).population.dt

    @property
    def order(self) -> list[str]:
        """The populations in the order in which they run.

        Raises
        ------
        ScneuroError
            A loop without a delay.
        """
        waiting = {
            name: {
                p.source
                for p in self.projections
                if p.target == name and not p.delay and p.source in self.layers
            }
            for name in self.layers
        }
        found: list[str] = []
        while len(found) < len(self.layers):
            ready = [n for n, needs in waiting.items() if n not in found and needs <= {*found}]
            if not ready:
                loop = [n for n in self.layers if n not in found]
                waits = "wait for each other" if len(loop) > 1 else "waits for itself"
                raise ScneuroError(
                    f"{self.name}: {', '.join(loop)} {waits} within a step",
                    "give a projection of the loop a delay: connect(..., delay=1)",
                )
            found.append(ready[0])
        return found

    def into(self, name: str) -> list[Projection]:
        """The projections onto a population."""
        return [p for p in self.projections if p.target == name]

    def base(self, name: str, to: str) -> np.ndarray:
        """What an input of a population has without any spike, shape (count,)."""
        layer = self.layers[name]
        total = np.full(layer.count, layer.population.input_defaults[to])
        for p in self.into(name):
            bias = p.map.biases(self._node(p.source).shape)
            if p.to == to and bias is not None:
                total = total + bias.reshape(-1)
        return total

    def run(
        self,
        *,
        progress: bool = True,
        record: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
        **inputs: Any,
    ) -> NetworkRecording:
        """Reset, then run over arrays of inputs, in float.

        Parameters
        ----------
        progress : bool
        record : mapping of str to sequence of str, or sequence of str, optional
            The states and inputs to record, by population, ``{"out": ["V", "I"]}``; or the
            populations of which to record all, ``["out"]``; by default all of them. A recording
            has them by name, ``recording["out/V"]``.
        **inputs : array of shape (T, *shape) or (T, B, *shape)
            By the inputs' names, flat or in their shape; B runs at once.

        Returns
        -------
        NetworkRecording

        Raises
        ------
        ValueError, TypeError
            An unknown or missing input, the wrong shape, spikes that are no counts, NaN.
        """
        return run(self, FloatNetwork(self), inputs, record=record, progress=progress)

    def fixed(self, **options: Any) -> FixedNetwork:
        """The integers of the network, bit for bit what its hardware computes.

        Parameters
        ----------
        **options
            As :meth:`scneuro.Neuron.fixed`.

        Raises
        ------
        LoweringError
            As there, of any of its populations.
        """
        from .fixed import FixedNetwork

        self._whole()
        return FixedNetwork(self, **options)

    def calibrate(
        self, *, margin: float = _MARGIN, progress: bool = True, **inputs: Any
    ) -> dict[str, dict[str, str]]:
        """Choose the words of all states and inputs by a run in float.

        Each has the finest word that holds ``margin`` times what it was in the run, and the
        threshold and the reset of a neuron of NIR. Words that were set before stay, and those of
        what declares a range; those of an earlier calibration do not.

        Parameters
        ----------
        margin : float
        progress : bool
        **inputs : array
            As of :meth:`run`.

        Returns
        -------
        dict of str to dict of str to str
            The words, by population and name.
        """
        return calibrate(self, margin, inputs, progress=progress)

    def _node(self, name: str) -> Source | Layer:
        nodes = self.nodes
        if name not in nodes:
            near = did_you_mean(str(name), nodes)
            raise ValueError(
                f"{self.name} has no node {name!r}; it has {', '.join(nodes) or 'none'}"
                + f". {near}" * bool(near)
            )
        return nodes[name]

    def _apart(self, neuron: Neuron) -> Neuron:
        """The neuron with a seed that no other population has, if it draws noise."""
        taken = {layer.population.one.seed for layer in self.layers.values()}
        other = copy.copy(neuron)
        while neuron.noises and other.seed in taken:
            other.seed = (other.seed + _SEEDS) % _MOST_SEED + 1
        return other

    def _fresh(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise TypeError(f"{self.name}: a node's name must be text, not {name!r}")
        if name in _TAKEN or not name.isprintable():
            raise ValueError(
                f"{self.name}: a node cannot be called {name!r}: run() takes it for something else"
            )
        if name in self.inputs or name in self.layers:
            raise ValueError(f"{self.name} has a node {name!r} already")

    def _whole(self) -> None:
        """Refuse what cannot run."""
        if not self.layers:
            raise ScneuroError(f"{self.name} has no population", "add one: population(...)")
        if not self.inputs:
            raise ScneuroError(f"{self.name} has no input", "add one: input(...)")

    def __repr__(self) -> str:
        nodes = ", ".join(f"{n} {_text(node.shape)}" for n, node in self.nodes.items())
        return f"<{self.name}: {nodes}; {len(self.projections)} projections>"


def _linked(maps: Any, source: Source | Layer, bits: int, point: int | None) -> Map:
    """The map of what is given for a projection of a source."""
    if not isinstance(maps, Stochastic):
        if isinstance(maps, list | tuple) and any(isinstance(each, Stochastic) for each in maps):
            raise TypeError("Stochastic stands alone: a projection of it has no other maps")
        return chained(maps, source.shape)
    if isinstance(source, Source) and source.kind == "current":
        raise ValueError(
            "Stochastic takes spikes, and a current is none; scneuro.SCDenseLayer takes numbers"
        )
    if bits != _BITS or point is not None:
        raise ValueError("Stochastic: bits and point are those of its sources: leave them out")
    return Drawn(maps)


def _instead(count: int, default: float) -> Map:
    """What an input is given instead of its default: a network adds to that."""
    if not default:
        return Scale(1.0)
    each = np.arange(count)
    ones = np.ones(count), (each, each)
    return Sparse(ones, shape=(count, count), bias=np.full(count, -default))


def _shape(shape: Any, name: str) -> Shape:
    given = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    if not given:
        raise ValueError(f"the shape of {name} must have a size")
    return tuple(whole(f"the shape of {name}", size) for size in given)


def _text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def network_of(target: Any, caller: str) -> Network:
    """A network as it is; a neuron or a population as the network of one.

    Raises
    ------
    TypeError
        If it is none of them; the message names the ``caller``.
    """
    if isinstance(target, Network):
        return target
    if isinstance(target, type) and issubclass(target, Neuron):
        need_neuron(target, caller)
    if not isinstance(target, Neuron | Population):
        said = f"{target!r}" if isinstance(target, str) else type(target).__name__
        raise TypeError(f"{caller} takes a neuron, a population or a network, not {said}")
    return Network.of(target)


def need_network(network: Any, caller: str) -> None:
    """Refuse what is no network.

    Raises
    ------
    TypeError
    """
    if not isinstance(network, Network):
        raise TypeError(f"{caller} takes a network, not {type(network).__name__}")
