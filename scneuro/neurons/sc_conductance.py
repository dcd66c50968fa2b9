"""The conductance-based neuron of the custom-neuron tutorial, in normalised units."""

from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..neuron import Neuron

__all__ = ["SCConductanceNeuron"]


class SCConductanceNeuron(Neuron):
    """Neuron with two conductances in units of [0, 1], as in the custom-neuron tutorial.

    dg_E = dt (I_exc - g_E / tau_E), dg_I = dt (I_inh - g_I / tau_I), both kept >= 0;
    dV = dt ((V_rest - V) / tau_m + g_E (V_E - V) + g_I (V_I - V)), with the new conductances;
    V is limited to [0, 1]; at V >= V_threshold: spike, V <- V_reset

    Its trajectories are the tutorial's to the last bit, including what explicit Euler does to
    them: as soon as g_I exceeds 1, V overshoots V_I, and strong inhibition alone makes it fire.
    :class:`~scneuro.ConductanceLIF` is integrated so that this cannot happen.

    Parameters
    ----------
    V_rest, V_E, V_I, V_threshold, V_reset : float
        Rest, the reversal potentials, threshold and reset.
    tau_m, tau_E, tau_I : float
        Time constants of membrane and conductances, in steps.
    dt : float
        Time step.
    """

    V_rest: float = 0.30
    V_E: float = 0.90
    V_I: float = 0.10
    V_threshold: float = 0.60
    V_reset: float = 0.30
    tau_m: float = 20.0
    tau_E: float = 5.0
    tau_I: float = 10.0
    dt: float = 1.0
    constraints: ClassVar[tuple[str, ...]] = ("tau_m > 0", "tau_E > 0", "tau_I > 0")
    currents: ClassVar[tuple[float, ...]] = (0.05, 0.02, 0.1, 0.2)

    V = State(init="V_rest")
    g_E = State()
    g_I = State()
    I_exc = Input()
    I_inh = Input()

    def update(self, V: Any, g_E: Any, g_I: Any, I_exc: Any, I_inh: Any) -> tuple[Any, ...]:
        g_E = np.maximum(g_E + (-g_E / self.tau_E + I_exc) * self.dt, 0.0)
        g_I = np.maximum(g_I + (-g_I / self.tau_I + I_inh) * self.dt, 0.0)
        I_syn = g_E * (self.V_E - V) + g_I * (self.V_I - V)
        V = V + (-(V - self.V_rest) / self.tau_m + I_syn) * self.dt
        V = np.clip(V, 0.0, 1.0)
        spike = self.V_threshold <= V
        return spike, np.where(spike, self.V_reset, V), g_E, g_I
