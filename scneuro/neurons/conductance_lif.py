"""The leaky integrate-and-fire neuron with synaptic conductances."""

from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..neuron import Neuron

__all__ = ["ConductanceLIF"]


class ConductanceLIF(Neuron):
    """Leaky integrate-and-fire neuron with conductances (Brette et al. 2007, benchmark 1).

    C dV/dt = g_L (E_L - V) + g_exc (E_exc - V) + g_inh (E_inh - V),
    dg_exc/dt = I_exc - g_exc / tau_exc, dg_inh/dt = I_inh - g_inh / tau_inh;
    at V >= V_th: spike, V <- V_reset

    Integrated exponentially (Rotter and Diesmann 1999): within a step the conductances are held,
    and V goes exactly towards the mean of the reversal potentials, weighted by their conductances.
    It never passes it, so no inhibition makes the neuron fire; with explicit Euler V overshoots as
    soon as dt times the total conductance exceeds C, and strong inhibition alone can.

    Parameters
    ----------
    C, g_L : float
        Membrane capacitance, pF, and leak conductance, nS.
    E_L, E_exc, E_inh : float
        Reversal potentials of leak, excitation and inhibition, mV.
    V_th, V_reset : float
        Threshold and reset potential, mV.
    tau_exc, tau_inh : float
        Time constants of the conductances, ms.
    dt : float
        Time step, ms.
    """

    C: float = 200.0
    g_L: float = 10.0
    E_L: float = -60.0
    E_exc: float = 0.0
    E_inh: float = -80.0
    V_th: float = -50.0
    V_reset: float = -60.0
    tau_exc: float = 5.0
    tau_inh: float = 10.0
    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = (
        "C > 0",
        "g_L > 0",
        "tau_exc > 0",
        "tau_inh > 0",
        "E_inh < V_th",
        "V_reset < V_th",
        "V_th < E_exc",
    )
    currents: ClassVar[tuple[float, ...]] = (1.0, 0.6, 1.5, 2.0)

    V = State(init="E_L", unit="mV", range=(-100.0, 0.0))
    g_exc = State(unit="nS", range=(0.0, 64.0))
    g_inh = State(unit="nS", range=(0.0, 64.0))
    I_exc = Input(unit="nS/ms")
    I_inh = Input(unit="nS/ms")

    def update(self, V: Any, g_exc: Any, g_inh: Any, I_exc: Any, I_inh: Any) -> tuple[Any, ...]:
        current = self.g_L * (self.E_L - V) + g_exc * (self.E_exc - V) + g_inh * (self.E_inh - V)
        x = self.dt / self.C * (self.g_L + g_exc + g_inh)
        V_next = V + self.dt / self.C * current * -np.expm1(-x) / x
        spike = V_next >= self.V_th
        return (
            spike,
            np.where(spike, self.V_reset, V_next),
            self._decay(g_exc, I_exc, self.tau_exc),
            self._decay(g_inh, I_inh, self.tau_inh),
        )

    def _decay(self, g: Any, drive: Any, tau: float) -> Any:
        """The exact solution of dg/dt = drive - g / tau after dt, not below zero."""
        kept = np.exp(-self.dt / tau)
        return np.maximum(g * kept + drive * tau * (1 - kept), 0.0)
