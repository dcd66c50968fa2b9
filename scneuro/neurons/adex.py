"""The adaptive exponential integrate-and-fire neuron."""

from typing import Any, ClassVar

import numpy as np

from ..model import Input, State
from ..neuron import Derived, Neuron

__all__ = ["AdEx"]


class AdEx(Neuron):
    """Adaptive exponential integrate-and-fire neuron (Brette and Gerstner 2005).

    C dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_T) / Delta_T) - w + I,
    tau_w dw/dt = a (V - E_L) - w;  at V >= V_peak: spike, V <- V_reset, w <- w + b

    The spike is cut at V_T + 5 Delta_T instead of the paper's 20 mV: from there the upswing
    takes microseconds, and explicit Euler follows it better from there than to 20 mV.

    Parameters
    ----------
    C : float
        Membrane capacitance, pF.
    g_L : float
        Leak conductance, nS.
    E_L, V_T, Delta_T : float
        Resting potential, threshold and slope factor, mV.
    V_reset, V_peak : float
        Reset potential and where the spike is cut, mV.
    a, b, tau_w : float
        Subthreshold adaptation (nS), its increment per spike (nA) and time constant (ms).
    dt : float
        Time step of explicit Euler, ms.
    """

    C: float = 281.0
    g_L: float = 30.0
    E_L: float = -70.6
    V_T: float = -50.4
    Delta_T: float = 2.0
    V_reset: float = -70.6
    V_peak: float = Derived(lambda p: p.V_T + 5 * p.Delta_T)
    a: float = 4.0
    b: float = 0.0805
    tau_w: float = 144.0
    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = (
        "C > 0",
        "g_L > 0",
        "Delta_T > 0",
        "tau_w > 0",
        "dt <= tau_w",
        "V_reset < V_peak",
        "V_peak >= V_T",
    )
    currents: ClassVar[tuple[float, ...]] = (1.0, 0.6, 0.8, 1.5)

    V = State(init="E_L", unit="mV")
    w = State(init=0.0, unit="nA")
    I = Input(unit="nA")  # noqa: E741 - the field's symbol

    def update(self, V: Any, w: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        x = np.exp((V - self.V_T) / self.Delta_T)
        V_next = V + self.dt / self.C * (
            self.g_L * (self.E_L - V + self.Delta_T * x) + 1e3 * (I - w)
        )
        w_next = w + self.dt / self.tau_w * (1e-3 * self.a * (V - self.E_L) - w)
        spike = V_next >= self.V_peak
        return (
            spike,
            np.where(spike, self.V_reset, V_next),
            np.where(spike, w_next + self.b, w_next),
        )
