"""A NIR graph as a network: what the file says, and what it leaves open, which is asked for."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ScneuroError, did_you_mean
from ...neuron import Neuron
from ...runner import numbers
from ..counts import SENDS
from ..maps import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    Dense,
    Flatten,
    Map,
    Scale,
    Shape,
    SumPool2d,
)
from ..network import Network
from . import neurons
from .graph import ANALOG, NEURONS, Flat, flat, kind, load, package

__all__ = ["METHODS", "RESETS", "read_nir"]

METHODS = ("euler", "exact")
RESETS = ("value", "subtract")
_TAKEN = ("margin", "progress", "record")  # by the methods of a network that take its inputs
_SLOWEST = 2.0**-16  # of a time constant, or of a threshold: a step of less is none
_SLOW = 1e-3
_NEAR = 1e-6  # of a step
_BUDGET = 0.5  # LSB, below one: what products with parameters that differ add up to must not show


def read_nir(
    source: Any,
    *,
    dt: float,
    method: str = "euler",
    reset: str = "value",
    bits: int | Mapping[str, int] = 8,
    points: Mapping[str, int] | None = None,
    words: Mapping[str, Mapping[str, str]] | None = None,
    inputs: str = "spikes",
    outputs: str = "spikes",
) -> Network:
    """The network of a NIR file or graph.

    A file has neither a time step nor a way to reset, so both are asked for. What else was assumed
    is in the network's ``notes``.

    Parameters
    ----------
    source : path or nir.NIRGraph
    dt : float
        Time step in ms; the times of the file are seconds.
    method : {"euler", "exact"}
        Of the neurons' equations. Euler's synaptic current advances first, and the membrane takes
        the new one.
    reset : {"value", "subtract"}
        At a spike a potential becomes v_reset, or loses v_threshold - v_reset.
    bits : int or mapping of str to int
        Of weights, 2 to 16; by the names of nodes with weights, which else have 8.
    points : mapping of str to int, optional
        Fraction bits of weights, by the names of nodes with weights.
    words : mapping of str to mapping of str to str, optional
        Of states and inputs, ``{"lif": {"v": "Q2.14"}}``.
    inputs : {"spikes", "current"}
    outputs : {"spikes", "counts", "both"}
        What leaves of them, as of :meth:`Network.output`.

    Returns
    -------
    Network

    Raises
    ------
    FileTrouble
        A file that is missing or damaged.
    ScneuroError, ValueError, TypeError
        A node that is not supported, shapes that do not fit, numbers that are none, a time step
        that the time constants do not bear.
    """
    for name, chosen, choices in (
        ("method", method, METHODS),
        ("reset", reset, RESETS),
        ("outputs", outputs, SENDS),
    ):
        if chosen not in choices:
            raise ValueError(f"{name} must be {' or '.join(choices)}, not {chosen!r}")
    array = numbers(dt, "dt")
    if array.ndim or not array > 0:
        raise ValueError(f"dt must be a positive number of ms, not {dt!r}")
    if isinstance(source, str | Path):
        name, (graph, notes) = str(source), load(source)
    else:
        name, graph, notes = "NIR graph", source, []
        if not isinstance(graph, package().NIRGraph):
            raise TypeError(
                f"read_nir() takes a path or a nir.NIRGraph, not {type(graph).__name__}"
            )
    found = flat(graph, name)
    found.notes[:0] = notes
    options = _Options(float(dt), method == "exact", reset == "subtract", bits, points or {})
    network = _Reading(found, options, words or {}, inputs).network
    if outputs != "spikes":
        network.output(sends=outputs)
        network.notes += [
            f"{name} never fires, and its counts stay 0: its state v says what it decides"
            for name in network.counted
            if type(network.layers[name].population.neuron) in neurons.SILENT
        ]
    return network


@dataclass(frozen=True)
class _Options:
    dt: float
    exact: bool
    subtract: bool
    bits: int | Mapping[str, int]
    points: Mapping[str, int]


@dataclass(frozen=True)
class _Part:
    """A node on the way from neurons to neurons.

    Attributes
    ----------
    node : str
    map : Map or None
        None if it is one to one.
    delay : int
        In steps.
    """

    node: str
    map: Map | None
    delay: int = 0

    @property
    def key(self) -> tuple[str, int]:
        return self.node, self.delay


@dataclass(frozen=True)
class _Way:
    source: str
    target: str
    parts: tuple[_Part, ...]
    shape: Shape

    @property
    def delay(self) -> int:
        return sum(part.delay for part in self.parts)

    def __str__(self) -> str:
        return " > ".join((self.source, *dict.fromkeys(p.node for p in self.parts), self.target))


class _Reading:
    """What is made of a flat graph, step by step."""

    def __init__(
        self,
        graph: Flat,
        options: _Options,
        words: Mapping[str, Mapping[str, str]],
        inputs: str,
    ) -> None:
        self.graph, self.options = graph, options
        self.words = dict(words)
        self.network = Network(Path(graph.name).name)
        self._maps: dict[str, Map] = {}
        self._add_inputs(inputs)
        ways = self._ways()
        ways = self._one_step_for_loops(self._outputs(ways))
        self._connect(ways)
        self._check_named()
        self.network.notes[:] = [*self._said(), *graph.notes]

    # -- nodes ---------------------------------------------------------------------------------
    def _add_inputs(self, kind_of_all: str) -> None:
        for name, node in self.graph.nodes.items():
            if kind(node) == "Input":
                with _of(self.graph, name):
                    shape = tuple(int(n) for n in np.ravel(node.input_type["input"])) or (1,)
                    self.network.input(self._input(name), shape, kind=kind_of_all)
        if not self.network.inputs:
            raise ScneuroError(f"{self.graph.name}: it has no Input", "give the graph a nir.Input")

    def _input(self, name: str) -> str:
        return f"{name}_" if name in _TAKEN else name

    def _ways(self) -> list[_Way]:
        """All ways from inputs and neurons to neurons and outputs; adds the populations."""
        found: list[_Way] = []
        nodes = self.graph.nodes
        shapes = {
            n: self.network.inputs[self._input(n)].shape for n in nodes if _is_input(nodes[n])
        }
        waiting = list(shapes)
        rest = [n for n in nodes if kind(nodes[n]) in NEURONS]
        while waiting or rest:
            if not waiting:  # what no input reaches has the shape of its parameters
                name = rest[0]
                shapes[name] = self._add_neuron(name, None)
                waiting.append(name)
            name = waiting.pop(0)
            rest = [n for n in rest if n != name]
            for way in self._from(name, name, shapes[name], ()):
                found.append(way)
                target = way.target
                if target not in shapes and kind(nodes[target]) in NEURONS:
                    shapes[target] = self._add_neuron(target, way.shape)
                    waiting.append(target)
        reached = {p.node for way in found for p in way.parts} | {*shapes}
        reached |= {way.target for way in found}
        if lost := [n for n in nodes if n not in reached]:
            self.graph.notes.append(f"{', '.join(lost)}: nothing leads there: left out")
        return found

    def _from(self, source: str, at: str, shape: Shape, parts: tuple[_Part, ...]) -> Iterator[_Way]:
        nodes = self.graph.nodes
        for name in self.graph.after(at):
            node = nodes[name]
            if kind(node) in (*NEURONS, "Output"):
                if kind(nodes[source]) in ANALOG and source not in self.graph.thresholds:
                    self._check_analog(source, name, parts)
                yield _Way(source, name, parts, shape)
                continue
            if any(part.node == name for part in parts):
                raise self.graph.trouble(
                    name, "it is in a loop without a neuron", "put a neuron into the loop"
                )
            for part in self._parts(name, node, shape):
                after = shape
                if part.map is not None:
                    with _of(self.graph, name):
                        after = part.map.shape_out(shape)
                yield from self._from(source, name, after, (*parts, part))

    def _check_analog(self, source: str, target: str, parts: tuple[_Part, ...]) -> None:
        """Refuse a potential that would go on to other neurons: projections carry spikes."""
        if kind(self.graph.nodes[target]) == "Output" and not parts:
            return
        to = parts[0].node if parts else target
        raise self.graph.trouble(
            source,
            f"its potential goes on to {to}, and only spikes go from neurons to others",
            "put a Threshold right behind it, and nothing else, or end the net there",
        )

    def _parts(self, name: str, node: Any, shape: Shape) -> list[_Part]:
        if kind(node) == "Delay":
            return self._delays(name, node, shape)
        if kind(node) == "Flatten" and int(node.start_dim) >= len(shape):
            return [_Part(name, None)]  # nothing is left to be made one
        if name not in self._maps:
            with _of(self.graph, name):
                self._maps[name] = _map(node)
        return [_Part(name, self._maps[name])]

    def _delays(self, name: str, node: Any, shape: Shape) -> list[_Part]:
        """A part for each of its delays, of those that have it."""
        with _of(self.graph, name):
            seconds = numbers(node.delay, "delay")
            if np.any(seconds < 0):
                raise ValueError("a delay must not be negative")
            exact = _spread(seconds, shape, "delay") * 1000 / self.options.dt
        steps = np.floor(exact + 0.5).astype(int)
        if np.any(np.abs(steps - exact) > _NEAR * np.maximum(1, exact)):
            far = float(np.ravel(exact)[np.argmax(np.abs(steps - exact))])
            self._note(f"{name}: delays are rounded to whole steps, {far:g} to {round(far)}")
        several = np.unique(steps)
        if len(several) == 1:
            return [_Part(name, None, int(several[0]))]
        return [_Part(name, Scale((steps == d).astype(float)), int(d)) for d in several]

    # -- neurons -------------------------------------------------------------------------------
    def _add_neuron(self, name: str, shape: Shape | None) -> Shape:
        node, options = self.graph.nodes[name], self.options
        threshold = self.graph.thresholds.get(name)
        cls: type[Neuron] = getattr(
            neurons, f"NIR{kind(node)}" + "Threshold" * (threshold is not None)
        )
        given = {n: getattr(node, n) for n in cls._defaults if hasattr(node, n)}
        if kind(node) == "Threshold":
            given["v_threshold"] = node.threshold
        elif threshold is not None:
            given["v_threshold"] = threshold
        with _of(self.graph, name):
            arrays = {n: numbers(values, n) for n, values in given.items()}
            if shape is None:
                shape = max((a.shape for a in arrays.values()), key=len) or (1,)
            whole = {n: _spread(a, shape, n) for n, a in arrays.items()}
        self._check_times(name, whole)
        made, varied = _made(cls, whole, options)
        with _of(self.graph, name):
            neuron = cls(**made)
            neuron.set_words(**self.words.get(name, {}))
            neuron.budget = _BUDGET if varied else None
            self.network.population(name, neuron, shape, parameters=varied)
        self._check_words(name, neuron, varied)
        return shape

    def _check_times(self, name: str, values: Mapping[str, np.ndarray]) -> None:
        """Refuse a time step that freezes a neuron, or lets it explode."""
        dt, seconds = self.options.dt, self.options.dt / 1000
        parts = {n: values[n] for n in values if n.startswith("tau")}
        for n, tau in parts.items():
            if np.any(tau <= 0):
                raise self.graph.trouble(name, f"{n} must be positive, not {tau.min():g}")
            most = float(np.max(seconds / tau))
            if most > 1 + 1e-9 and not self.options.exact:
                raise self.graph.trouble(
                    name,
                    f"a time step of {dt:g} ms is {most:.4g} times {n} = {tau.min():g} s: Euler's "
                    "steps would overshoot, or explode",
                    f"take a dt of at most {1000 * tau.min():g} ms, or method exact",
                )
            self._slow(name, float(np.min(seconds / tau)), f"{n} = {tau.max():g} s")
        if kind(self.graph.nodes[name]) in ("IF", "I") and "v_threshold" in values:
            by = np.abs(seconds * values["r"])
            level = np.maximum(np.abs(values["v_threshold"]), 1e-300)
            if np.any(by > 0):
                self._slow(
                    name, float(np.max(by / level)), "the way of an input of 1 to v_threshold"
                )

    def _slow(self, name: str, part: float, of: str) -> None:
        """Refuse or note a step that is next to nothing of what it goes through."""
        steps = "where a file counts in steps, as Sinabs does, dt is 1000 ms: one unit"
        if part < _SLOWEST:
            raise self.graph.trouble(
                name,
                f"a time step of {self.options.dt:g} ms is {part:.2g} of {of}: it stands still",
                steps,
            )
        if part < _SLOW:
            self._note(f"{name}: a step is {part:.2g} of {of}; {steps}")

    def _check_words(self, name: str, neuron: Neuron, varied: Mapping[str, np.ndarray]) -> None:
        """Note a threshold that no word reaches."""
        for state, levels in getattr(neuron, "levels", {}).items():
            word = neuron.state_variables[state].format
            for level in levels:
                values = np.ravel(varied.get(level, neuron.parameters[level]))
                if values.min() < word.least or values.max() > word.greatest:
                    self._note(
                        f"{name}: {level} is beyond {state}'s word {word}: calibrate before the "
                        "net becomes integers"
                    )

    # -- what leaves it, and loops -------------------------------------------------------------
    def _outputs(self, ways: list[_Way]) -> list[_Way]:
        """Name the populations that leave; what leaves without a neuron gets one to be read."""
        nodes, rest = (
            self.graph.nodes,
            [w for w in ways if kind(self.graph.nodes[w.target]) != "Output"],
        )
        for name in nodes:
            into = [w for w in ways if w.target == name]
            if kind(nodes[name]) != "Output" or not into:
                continue
            if all(not w.parts and w.source in self.network.layers for w in into):
                self.network.output(*(w.source for w in into))
                continue
            with _of(self.graph, name):
                readout = neurons.NIRReadout(dt=self.options.dt)
                readout.set_words(**self.words.get(name, {}))
                self.network.population(name, readout, into[0].shape)
            self.network.output(name)
            self._note(f"{name}: what arrives there is kept as the state v of neurons to be read")
            rest += into
        return rest

    def _one_step_for_loops(self, ways: list[_Way]) -> list[_Way]:
        """Give what closes a loop without delay one step, from the inputs on."""
        after: dict[str, list[int]] = {}
        for k, way in enumerate(ways):
            if not way.delay:
                after.setdefault(way.source, []).append(k)
        closing: set[int] = set()
        done: set[str] = set()
        for start in sorted(self.graph.nodes, key=lambda name: name not in self._inputs):
            if start in done:
                continue
            path, stack = {start}, [(start, iter(after.get(start, ())))]
            while stack:
                at, edges = stack[-1]
                for k in edges:
                    target = ways[k].target
                    if target in path:
                        closing.add(k)
                    elif target not in done:
                        path.add(target)
                        stack.append((target, iter(after.get(target, ()))))
                        break
                else:
                    stack.pop()
                    path.discard(at)
                    done.add(at)
        for k in sorted(closing):
            self._note(f"{ways[k]} closes a loop without a delay: it gets one step")
        loop = _Part("", None, 1)
        return [
            replace(w, parts=(*w.parts, loop)) if k in closing else w for k, w in enumerate(ways)
        ]

    # -- projections ---------------------------------------------------------------------------
    def _connect(self, ways: list[_Way]) -> None:
        seen: set[tuple[Any, ...]] = set()
        for way in ways:
            maps = []
            for k, part in enumerate(way.parts):
                if part.map is None:
                    continue
                one = part.map
                if one.bias is not None:
                    rest = way.parts[k:]
                    onward = (*(p.key for p in rest), way.target)
                    if onward in seen:  # a bias arrives once, however many lead to its node
                        one = copy.copy(one)
                        one.bias = None
                    seen.add(onward)
                    if any(p.delay for p in rest if p.node):
                        self._note(f"{part.node}: its bias is there from the first step on")
                maps.append(one)
            named = [p.node for p in way.parts if p.map is not None]
            self.network.connect(
                self._input(way.source) if way.source in self._inputs else way.source,
                way.target,
                maps or [Scale(1.0)],
                to="I",
                delay=way.delay,
                bits=self._chosen(self.options.bits, named, 8),
                point=self._chosen(self.options.points, named, None),
            )

    @property
    def _inputs(self) -> set[str]:
        return {n for n, node in self.graph.nodes.items() if _is_input(node)}

    def _chosen(self, given: Any, nodes: list[str], default: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return next((given[n] for n in nodes if n in given), default)

    # -- what was said, and what is said ---------------------------------------------------------
    def _check_named(self) -> None:
        """Refuse options of nodes that there are not."""
        bits = self.options.bits if isinstance(self.options.bits, Mapping) else {}
        for what, given, there in (
            ("bits", bits, [*self._maps]),
            ("points", self.options.points, [*self._maps]),
            ("words", self.words, [*self.network.layers]),
        ):
            for name in given:
                if name not in there:
                    near = did_you_mean(str(name), there)
                    raise ValueError(
                        f"{self.graph.name}: {what} of {name!r}: there are "
                        f"{', '.join(there) or 'none'}" + f". {near}" * bool(near)
                    )

    def _said(self) -> list[str]:
        """What was assumed of every net."""
        o, layers = self.options, self.network.layers.values()
        cuba = any("i" in layer.population.state_names for layer in layers)
        method = "the exact solution for inputs that stay as they are during a step"
        if not o.exact:
            method = "explicit Euler" + (
                "; currents advance first, and membranes take the new ones" * cuba
            )
        reset = "v loses v_threshold - v_reset" if o.subtract else "v becomes v_reset"
        said = [f"times are seconds, a step is {o.dt:g} ms; {method}"]
        if any("v_threshold" in layer.population.neuron.parameters for layer in layers):
            said.append(f"a neuron fires where v > v_threshold; where it has a reset, {reset}")
        if any("v_leak" in layer.population.neuron.parameters for layer in layers):
            said.append("potentials start at v_leak" + ", currents at 0" * cuba)
        return said

    def _note(self, text: str) -> None:
        if text not in self.graph.notes:
            self.graph.notes.append(text)


class _of:  # noqa: N801 - reads as a phrase
    """Says of which node an error is."""

    def __init__(self, graph: Flat, name: str) -> None:
        self.graph, self.name = graph, name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind_: Any, error: BaseException | None, _: Any) -> None:
        if isinstance(error, ScneuroError):
            raise type(error)(
                f"{self.graph.name}: {self.name}: {error.message}", error.hint
            ) from None
        if isinstance(error, ValueError | TypeError | AttributeError | LookupError):
            raise self.graph.trouble(self.name, error) from None


def _is_input(node: Any) -> bool:
    return kind(node) == "Input"


def _spread(array: np.ndarray, shape: Shape, what: str) -> np.ndarray:
    """A number of each neuron: one for all, or as many, or as NumPy spreads them."""
    if array.size == 1:
        return np.broadcast_to(array.reshape(()), shape)
    if array.size == int(np.prod(shape)):
        return array.reshape(shape)
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(f"{what} has shape {array.shape}, and there are {shape} neurons") from None


def _made(
    cls: type[Neuron], values: Mapping[str, np.ndarray], options: _Options
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a neuron is made with, and the parameters in which it differs from the others."""
    dt, exact = options.dt, options.exact
    made: dict[str, Any] = {"dt": dt}
    made |= {n: True for n in ("exact", "subtract") if n in cls._defaults and getattr(options, n)}
    flat_ = {n: array.reshape(-1) for n, array in values.items()}
    varied = {n: array for n, array in flat_.items() if np.any(array != array[0])}
    made |= {n: float(array[0]) for n, array in flat_.items() if n not in varied}
    times = [n for n in varied if n in neurons.LOST]
    for name in times:  # a time constant is no part of update(): what a step loses by it is
        varied[neurons.LOST[name]] = lost = neurons.decay(varied.pop(name), dt, exact)
        flat_[name] = neurons.time_constant(lost, dt, exact)
        made[name] = float(flat_[name].min())
    if exact and times and "tau_syn" in flat_:
        varied["gamma"] = neurons.mixing(flat_["tau_syn"], flat_["tau_mem"], dt, exact)
    return made, varied


def _map(node: Any) -> Map:
    """The map of a node with weights, or that moves."""
    match kind(node):
        case "Linear":
            return Dense(node.weight)
        case "Affine":
            return Dense(node.weight, _bias(node))
        case "Scale":
            return Scale(node.scale)
        case "Flatten":
            return Flatten(int(node.start_dim), int(node.end_dim))
        case "SumPool2d" | "AvgPool2d":
            cls = SumPool2d if kind(node) == "SumPool2d" else AvgPool2d
            return cls(node.kernel_size, stride=node.stride, padding=node.padding)
        case "Conv1d" | "Conv2d":
            made: type[Conv2d] = Conv1d if kind(node) == "Conv1d" else Conv2d
            return made(
                node.weight,
                _bias(node),
                stride=node.stride,
                padding=node.padding,
                dilation=node.dilation,
                groups=node.groups,
            )
    raise AssertionError(kind(node))


def _bias(node: Any) -> Any:
    """Its bias; None if there is none, or nothing but zeros."""
    return None if node.bias is None or not np.any(node.bias) else node.bias
