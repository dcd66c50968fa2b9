"""Many neurons' gates with the surface of their integers: a population, a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...hdl.network import Network
from ...hdl.population import Population
from ...network import FixedNetwork, NetworkRecording
from ...network.plan import LANES
from ...network.run import given_inputs
from ...population import FixedPopulation
from ...runner import Recording, as_recorded, prepared
from ...tools.progress import progress as bar
from ..contracts.network import NetworkContract
from ..contracts.population import PopulationContract
from .drive import Driven, joined, need_engine

__all__ = ["run_network", "run_population"]


def run_population(
    fixed: FixedPopulation, *, engine: str = "cxxrtl", progress: bool = True, **inputs: Any
) -> Recording:
    """Run a population's gates from reset.

    Parameters
    ----------
    fixed : FixedPopulation
    engine : {"cxxrtl", "amaranth"}
    progress : bool
    **inputs : array of shape (T,) or (T, count)
        In the inputs' units.

    Returns
    -------
    Recording
        Of shape (T, count).
    """
    population = fixed.population
    population.check_inputs(inputs, time=True)
    arrays = prepared(fixed.one, inputs, time=True)
    steps = max(a.shape[0] for a in arrays.values() if a.ndim)
    words = {
        n: np.broadcast_to(a[:, None] if a.ndim == 1 else a, (steps, fixed.count))
        for n, a in arrays.items()
    }
    driven = Driven(PopulationContract(Population(fixed), fixed), engine)
    what = f"{fixed.name}: gates"
    found = joined(list(bar(driven.stretches(words), what, unit="stretch", wanted=progress)))
    registers = fixed.lowered.registers
    states = {n: registers[n].to_word(found.tables[n]).astype(np.int16) for n in fixed.state_names}
    return as_recorded(fixed.one, found.tables["spike"] != 0, states, inputs)


def run_network(
    fixed: FixedNetwork, *, engine: str = "cxxrtl", lanes: int = LANES, **inputs: Any
) -> NetworkRecording:
    """Run a network's gates from reset.

    Parameters
    ----------
    fixed : FixedNetwork
    engine : {"cxxrtl", "amaranth"}
    lanes : int
        Weights that are added in a clock.
    **inputs : array of shape (T, *shape)

    Returns
    -------
    NetworkRecording
        As of :meth:`FixedNetwork.run`.

    Raises
    ------
    ValueError, TypeError
        As there; several runs at once.
    ToolError
        The compiled engine without a C++ compiler.
    """
    network = fixed.network
    need_engine(engine)
    given, several = given_inputs(network, inputs)
    if several:
        raise ValueError(f"{network.name}: gates do one run at a time: arrays (T, ...)")
    single = {name: array[:, 0] for name, array in given.items()}
    steps = len(next(iter(single.values())))
    found = Driven(NetworkContract(Network(fixed, lanes), fixed, steps), engine).run(single)
    written: dict[str, dict[str, np.ndarray]] = {name: {} for name in fixed.populations}
    for key, values in found.tables.items():
        name, _, what = key.rpartition(".")
        written[name][what] = values
    spike = {name: own["spike"] != 0 for name, own in written.items()}
    words = {
        name: {n: values for n, values in written[name].items() if n in p.lowered.inputs}
        for name, p in fixed.populations.items()
    }
    counts = {name: written[name]["counts"][-1] for name in network.counted}
    return fixed.recorded(spike, written, words, counts=counts)
