"""A network of NIR's neurons as a NIR file."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ScneuroError
from ...tools.files import write_whole
from ..maps import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    Dense,
    Drawn,
    Flatten,
    Map,
    Scale,
    Shape,
    Sparse,
    SumPool2d,
)
from ..network import Layer, Network, Projection, need_network
from . import neurons
from .graph import ANALOG, package

__all__ = ["graph_of", "write_nir"]


def write_nir(network: Network, path: Path | str) -> None:
    """Write a network of NIR's neurons as a NIR file, whole or not at all.

    The file has neither the time step nor the method, the reset, bits and words, nor whether
    outputs are counted: they are given again where it is read. Times are in seconds, so a delay is
    as long as its steps are now.

    Parameters
    ----------
    network : Network
        Its neurons must be those of :mod:`scneuro.network.nir.neurons`.
    path : path

    Raises
    ------
    ScneuroError
        A network that has what NIR cannot say: other neurons, or states that start elsewhere.
    FileTrouble
        If it cannot be written.
    """
    nir = package()
    content = io.BytesIO()
    nir.write(content, graph_of(network))
    write_whole(Path(path), content.getvalue())


def graph_of(network: Network) -> Any:
    """The ``nir.NIRGraph`` of a network of NIR's neurons.

    Raises
    ------
    ScneuroError
        As for :func:`write_nir`.
    """
    need_network(network, "write_nir()")
    network._whole()
    return _Writing(network).graph


class _Writing:
    """What is written, node by node."""

    def __init__(self, network: Network) -> None:
        self.nir = package()
        self.network = network
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self._end: dict[str, str] = {}  # the node from which the spikes of each come
        for name, source in network.inputs.items():
            self.nodes[name] = self.nir.Input(np.array(source.shape))
            self._end[name] = name
        for name, layer in network.layers.items():
            self._end[name] = self._add_layer(name, layer)
        for projection in network.projections:
            self._add_projection(projection)
        for name in network.outputs:
            if not _is_readout(network.layers[name]):
                shape = network.layers[name].shape
                self._then(self._end[name], f"{name}_output", self.nir.Output(np.array(shape)))
        self.graph = self.nir.NIRGraph(nodes=self.nodes, edges=self.edges, type_check=False)

    def _add_layer(self, name: str, layer: Layer) -> str:
        population = layer.population
        neuron = population.neuron
        what = f"{self.network.name}: {name}"
        if type(neuron).__module__ != neurons.__name__:
            raise ScneuroError(
                f"{what}: {neuron.name} is no neuron of NIR",
                "a NIR file holds those of scneuro.network.nir.neurons, such as NIRLIF",
            )
        if population.init or neuron._start:
            raise ScneuroError(
                f"{what}: its states start elsewhere than at rest, and a NIR file cannot say so"
            )
        if _is_readout(layer):
            self.nodes[name] = self.nir.Output(np.array(layer.shape))
            return name
        primitive = type(neuron).__name__.removeprefix("NIR")
        values = {n: np.broadcast_to(v, layer.count) for n, v in _values(layer).items()}
        values = {n: v.reshape(layer.shape).copy() for n, v in values.items()}
        if primitive == "Threshold":
            self.nodes[name] = self.nir.Threshold(values["v_threshold"])
            return name
        integrator = primitive.removesuffix("Threshold")
        cls = getattr(self.nir, integrator)
        own = {f.name for f in dataclasses.fields(cls)} & values.keys()
        self.nodes[name] = cls(**{n: values[n] for n in own})
        if integrator == primitive:
            return name
        threshold = self.nir.Threshold(values["v_threshold"])
        return self._then(name, f"{name}_threshold", threshold)

    def _add_projection(self, projection: Projection) -> None:
        network, at = self.network, self._end[projection.source]
        source = network._node(projection.source)
        if isinstance(source, Layer):
            primitive = type(source.population.neuron).__name__.removeprefix("NIR")
            if primitive in (*ANALOG, "Readout"):
                raise ScneuroError(
                    f"{network.name}: {projection}: {projection.source} never fires, and in a NIR "
                    "file its potential would go there",
                    "leave that projection out",
                )
        name, shape = f"{projection.source}_{projection.target}", source.shape
        if projection.delay:
            seconds = projection.delay * network.dt / 1000
            at = self._then(at, f"{name}_delay", self.nir.Delay(np.full(shape, seconds)))
        target = network.layers[projection.target]
        plain = isinstance(projection.map, Scale) and np.all(projection.map.weights == 1)
        if plain and not _is_readout(target) and (at, projection.target) not in self.edges:
            self.edges.append((at, projection.target))
            return
        for part in projection.map.parts:
            if isinstance(part, Drawn):
                raise ScneuroError(
                    f"{self.network.name}: {projection} is {part!r}, and NIR has nothing like it",
                    "a Dense of its weights times gain / inputs is what it is on average",
                )
            if isinstance(part, Dense | Sparse) and len(shape) != 1:
                flat = self.nir.Flatten(np.array(shape), 0, -1)
                at, shape = self._then(at, f"{name}_flat", flat), (int(np.prod(shape)),)
            at = self._then(at, name, self._node(part, shape))
            shape = part.shape_out(shape)
        self.edges.append((at, projection.target))

    def _node(self, part: Map, shape: Shape) -> Any:
        """The node of a map of what has a shape."""
        nir = self.nir
        if isinstance(part, Dense | Sparse):
            matrix = part.weights
            if isinstance(part, Sparse):
                matrix = np.zeros(part.shape)
                matrix[part.target, part.source] = part.weights
            bias = part.bias
            return nir.Linear(matrix) if bias is None else nir.Affine(matrix, np.array(bias))
        if isinstance(part, Scale):
            factor = part.weights.reshape(shape) if part.weights.ndim else part.weights
            return nir.Scale(np.broadcast_to(factor, shape).copy())
        if isinstance(part, Flatten):
            return nir.Flatten(np.array(shape), part.first, part.last)
        if isinstance(part, SumPool2d):
            cls = nir.AvgPool2d if isinstance(part, AvgPool2d) else nir.SumPool2d
            kernel, stride = np.array(part.kernel), np.array(part.stride)
            return cls(kernel, stride, np.array([before for before, _ in part.padding]))
        assert isinstance(part, Conv2d)
        padding: Any = "same"
        if all(before == after for before, after in part.padding):
            padding = tuple(before for before, _ in part.padding)
        bias = np.zeros(len(part.weights)) if part.bias is None else np.array(part.bias)
        weights = np.array(part.weights)
        if isinstance(part, Conv1d):
            return nir.Conv1d(
                shape[1],
                weights[:, :, 0],
                part.stride[1],
                padding if padding == "same" else padding[1],
                part.dilation[1],
                part.groups,
                bias,
            )
        return nir.Conv2d(
            shape[1:], weights, part.stride, padding, part.dilation, part.groups, bias
        )

    def _then(self, at: str, name: str, node: Any) -> str:
        """Add a node behind another; its name, as that or another that is free."""
        taken = self.nodes.keys() | self.network.inputs.keys() | self.network.layers.keys()
        free, k = name, 1
        while free in taken:
            free, k = f"{name}_{k}", k + 1
        self.nodes[free] = node
        self.edges.append((at, free))
        return free


def _is_readout(layer: Layer) -> bool:
    return isinstance(layer.population.neuron, neurons.NIRReadout)


def _values(layer: Layer) -> Mapping[str, Any]:
    """The parameters of all neurons of a population, with the time constants that they have."""
    neuron, varied = layer.population.neuron, layer.population.parameters
    values: dict[str, Any] = {**neuron.parameters, **varied}
    for tau, part in neurons.LOST.items():
        if tau in values:
            exact = bool(values["exact"])
            lost = np.asarray(values[part])
            if np.any(neurons.decay(values[tau], neuron.dt, exact) != lost):
                values[tau] = neurons.time_constant(lost, neuron.dt, exact)
    return values
