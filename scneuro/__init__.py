"""Write a spiking neuron once; get float, Q8.8, gates, parity and a bitstream."""

from typing import TYPE_CHECKING

from .tools.on_demand import on_demand

if TYPE_CHECKING:
    from . import boards as boards
    from . import hdl as hdl
    from . import network as network
    from . import plot as plot
    from . import reference as reference
    from . import signals as signals
    from . import sim as sim
    from .channel import Channel, Gate
    from .declare import Input, State
    from .errors import LoweringError, ScneuroError, ToolError, TraceError, UpdateError
    from .fixed import FixedNeuron
    from .network import Network
    from .neuron import Derived, Neuron
    from .neurons.adex import AdEx
    from .neurons.conductance_lif import ConductanceLIF
    from .neurons.escape_lif import EscapeLIF
    from .neurons.exponential_if import ExponentialIF
    from .neurons.hodgkin_huxley import HodgkinHuxley
    from .neurons.izhikevich import Izhikevich
    from .neurons.lif import LIF
    from .neurons.noisy_lif import NoisyLIF
    from .neurons.quadratic_if import QuadraticIF
    from .neurons.sc_adex import SCAdExNeuron
    from .neurons.sc_conductance import SCConductanceNeuron
    from .population import FixedPopulation, Population
    from .runner import Recording
    from .stochastic import (
        AdExLayer,
        BitstreamEncoder,
        BitstreamSynapse,
        Noise,
        SCDenseLayer,
        Stochastic,
    )
    from .tutorial import FixedPointAdExNeuron, verify_adex_parity

#: As in ``pyproject.toml``, which reads it here.
__version__ = "0.1.0"

__all__ = [
    "LIF",
    "AdEx",
    "AdExLayer",
    "BitstreamEncoder",
    "BitstreamSynapse",
    "Channel",
    "ConductanceLIF",
    "Derived",
    "EscapeLIF",
    "ExponentialIF",
    "FixedNeuron",
    "FixedPointAdExNeuron",
    "FixedPopulation",
    "Gate",
    "HodgkinHuxley",
    "Input",
    "Izhikevich",
    "LoweringError",
    "Network",
    "Neuron",
    "Noise",
    "NoisyLIF",
    "Population",
    "QuadraticIF",
    "Recording",
    "SCAdExNeuron",
    "SCConductanceNeuron",
    "SCDenseLayer",
    "ScneuroError",
    "State",
    "Stochastic",
    "ToolError",
    "TraceError",
    "UpdateError",
    "verify_adex_parity",
]

_WHERE = {
    "LIF": "neurons.lif",
    "AdEx": "neurons.adex",
    "AdExLayer": "stochastic",
    "BitstreamEncoder": "stochastic",
    "BitstreamSynapse": "stochastic",
    "Channel": "channel",
    "ConductanceLIF": "neurons.conductance_lif",
    "Derived": "neuron",
    "EscapeLIF": "neurons.escape_lif",
    "ExponentialIF": "neurons.exponential_if",
    "FixedNeuron": "fixed",
    "FixedPointAdExNeuron": "tutorial",
    "FixedPopulation": "population",
    "Gate": "channel",
    "HodgkinHuxley": "neurons.hodgkin_huxley",
    "Input": "declare",
    "Izhikevich": "neurons.izhikevich",
    "LoweringError": "errors",
    "Network": "network",
    "Neuron": "neuron",
    "Noise": "stochastic",
    "NoisyLIF": "neurons.noisy_lif",
    "Population": "population",
    "QuadraticIF": "neurons.quadratic_if",
    "Recording": "runner",
    "SCAdExNeuron": "neurons.sc_adex",
    "SCConductanceNeuron": "neurons.sc_conductance",
    "SCDenseLayer": "stochastic",
    "ScneuroError": "errors",
    "State": "declare",
    "Stochastic": "stochastic",
    "ToolError": "errors",
    "TraceError": "errors",
    "UpdateError": "errors",
    "verify_adex_parity": "tutorial",
}

#: Found when they are asked for, as all modules are: ``import scneuro; scneuro.sim.parity``.
_PACKAGES = ("boards", "hdl", "network", "plot", "reference", "signals", "sim")

__getattr__, __dir__ = on_demand(__name__, _WHERE, _PACKAGES)
