"""Run the gates and compare them: engines, parity, the pytest plugin.

What is exported here is imported when it is asked for, so that pytest, which loads the plugin from
this package, does not load Amaranth.
"""

from typing import TYPE_CHECKING

from ..tools.on_demand import on_demand

if TYPE_CHECKING:
    from .compare.figures import Mismatch, Parity
    from .compare.many.layer import LayerParity, layer_parity
    from .compare.many.network import NetworkParity, network_parity
    from .compare.many.population import PopulationParity, population_parity
    from .compare.parity import parity
    from .compare.vectors import VectorParity, vector_parity
    from .compare.verdict import Criteria
    from .engines.many import run_network, run_population
    from .engines.neuron import CompiledNeuron, SimulatedNeuron, compiled_steps, simulate_steps
    from .export.write import Export, export_verilog
    from .live.board import SimulatedBoard, SimulatedPort
    from .live.simulated import simulated_board
    from .testing.conformance import conformance

__all__ = [
    "CompiledNeuron",
    "Criteria",
    "Export",
    "LayerParity",
    "Mismatch",
    "NetworkParity",
    "Parity",
    "PopulationParity",
    "SimulatedBoard",
    "SimulatedNeuron",
    "SimulatedPort",
    "VectorParity",
    "compiled_steps",
    "conformance",
    "export_verilog",
    "layer_parity",
    "network_parity",
    "parity",
    "population_parity",
    "run_network",
    "run_population",
    "simulate_steps",
    "simulated_board",
    "vector_parity",
]

_WHERE = {
    "CompiledNeuron": "engines.neuron",
    "Criteria": "compare.verdict",
    "Export": "export.write",
    "LayerParity": "compare.many.layer",
    "Mismatch": "compare.figures",
    "NetworkParity": "compare.many.network",
    "Parity": "compare.figures",
    "PopulationParity": "compare.many.population",
    "SimulatedBoard": "live.board",
    "SimulatedNeuron": "engines.neuron",
    "SimulatedPort": "live.board",
    "VectorParity": "compare.vectors",
    "compiled_steps": "engines.neuron",
    "conformance": "testing.conformance",
    "export_verilog": "export.write",
    "network_parity": "compare.many.network",
    "layer_parity": "compare.many.layer",
    "parity": "compare.parity",
    "population_parity": "compare.many.population",
    "run_network": "engines.many",
    "run_population": "engines.many",
    "simulate_steps": "engines.neuron",
    "simulated_board": "live.simulated",
    "vector_parity": "compare.vectors",
}

__getattr__, __dir__ = on_demand(__name__, _WHERE)
