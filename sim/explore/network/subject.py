"""A network as what is explored: what it computes, and on what its integers are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ....boards.memory import network_form
from ....boards.table import Board
from ....network import Network
from ....tools.places import Place
from ..neuron import content_of
from .clocks import counted
from .fidelity import Stimulus, compared
from .points import NetworkPoint
from .results import NetworkExploration, NetworkRow

__all__ = ["OfNetwork", "content_of_network"]


@dataclass(frozen=True, eq=False)
class OfNetwork:
    """A network, and the stimulus over which it is looked at.

    It travels to a worker whole, as what was made of a NIR file or of a user's function: there,
    only the classes of its neurons and maps are looked up.

    Attributes
    ----------
    network : Network
    stimulus : Stimulus
    """

    row: ClassVar[type[NetworkRow]] = NetworkRow

    network: Network
    stimulus: Stimulus

    @classmethod
    def of(
        cls, network: Network, stimulus: Any = None, labels: Any = None, steps: int | None = None
    ) -> OfNetwork:
        """The same, of arrays: see :class:`~scneuro.sim.explore.network.fidelity.Stimulus`."""
        return cls(network, Stimulus(network, stimulus, labels, steps))

    @property
    def name(self) -> str:
        return self.network.name

    @property
    def files(self) -> tuple[str, ...]:
        """The user's files that neurons and maps are in."""
        kinds: list[type[Any]] = [
            type(layer.population.neuron) for layer in self.network.layers.values()
        ]
        kinds += [type(part) for p in self.network.projections for part in (p.map, *p.map.parts)]
        return tuple(dict.fromkeys(file for kind in kinds if (file := Place.of(kind).file)))

    @property
    def content(self) -> str:
        return content_of_network(self.network)

    @property
    def asked(self) -> str:
        """What a comparison depends on besides."""
        digest = hashlib.sha256()
        for name, values in sorted(self.stimulus.given.items()):
            _add(digest, name, values)
        _add(digest, self.stimulus.labels)
        return digest.hexdigest()

    def target(self, point: NetworkPoint) -> Network:
        """What is built."""
        return point.target(self.network)

    def compared(self, point: NetworkPoint) -> dict[str, Any]:
        """Fidelity, and what was chosen for the integers."""
        fixed = point.fixed(self.network)
        found = compared(self.network, fixed, self.stimulus)
        return {
            "fidelity": found.figures(),
            "states": [
                {
                    "population": name,
                    "name": r.name,
                    "word": str(r.word),
                    "guard_bits": r.guard,
                    "bits": r.width,
                }
                for name, population in fixed.populations.items()
                for r in population.lowered.registers.values()
            ],
            "projections": [
                {
                    "source": s.projection.source,
                    "target": s.projection.target,
                    "to": s.projection.to,
                    "weights": int(s.weights.size),
                    "bits": s.projection.bits,
                    "fraction_bits": s.point,
                    "weight_error": s.error,
                }
                for total in fixed.totals.values()
                for s in total.synapses
            ],
        }

    def counted(self, point: NetworkPoint, board: Board) -> dict[str, Any]:
        """Its clocks over the stimulus."""
        form = network_form(board.part)
        return counted(point.fixed(self.network), self.stimulus, point.lanes, form)

    def found(self, rows: tuple[Any, ...], common: Mapping[str, Any]) -> NetworkExploration:
        """What a search found."""
        network = self.network
        return NetworkExploration(
            network=network.name,
            dt_ms=network.dt,
            populations={n: layer.count for n, layer in network.layers.items()},
            weights=sum(int(p.map.weights.size) for p in network.projections),
            steps=self.stimulus.steps,
            runs=self.stimulus.runs,
            rows=rows,
            **common,
        )


def content_of_network(network: Network) -> str:
    """What a network computes and declares, as a digest."""
    digest = hashlib.sha256()
    _add(digest, network.name, network.order, network.sends)
    for source in network.inputs.values():
        _add(digest, source.name, source.shape, source.kind, source.most)
    for name, layer in network.layers.items():
        population = layer.population
        _add(digest, name, layer.shape, content_of(population.neuron))
        for given in (population.parameters, population.init):
            for what, values in sorted(given.items()):
                _add(digest, what, values)
    for p in network.projections:
        shape = network.nodes[p.source].shape
        kinds = [type(part).__name__ for part in p.map.parts]
        _add(digest, p.source, p.target, p.to, p.delay, p.bits, p.point, kinds)
        _add(digest, p.map.weights, p.map.biases(shape), *p.map.synapses(shape), *p.map.content)
    return digest.hexdigest()


def _add(digest: Any, *values: Any) -> None:
    for value in values:
        if isinstance(value, np.ndarray):
            digest.update(f"{value.dtype.str}{value.shape}".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        else:
            digest.update(f"{value!r};".encode())
