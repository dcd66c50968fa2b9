"""The exponential integrate-and-fire neuron."""

from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..neuron import Derived, Neuron

__all__ = ["ExponentialIF"]


class ExponentialIF(Neuron):
    """Exponential integrate-and-fire neuron (Fourcaud-Trocme et al. 2003).

    tau_m dV/dt = E_L - V + Delta_T exp((V - V_T) / Delta_T) + R I;
    at V >= V_peak: spike, V <- V_reset

    The defaults are the paper's fit to the Wang-Buzsaki neuron, without its refractory period. The
    spike is cut at V_T + 5 Delta_T: from there the upswing takes microseconds.

    Parameters
    ----------
    tau_m : float
        Membrane time constant, ms.
    R : float
        Membrane resistance, MOhm (times nA is mV).
    E_L, V_T, Delta_T : float
        Resting potential, threshold and slope factor, mV.
    V_reset, V_peak : float
        Reset potential and where the spike is cut, mV.
    dt : float
        Time step of explicit Euler, ms.
    """

    tau_m: float = 10.0
    R: float = 10.0
    E_L: float = -65.0
    V_T: float = -59.9
    Delta_T: float = 3.48
    V_reset: float = -68.0
    V_peak: float = Derived(lambda p: p.V_T + 5 * p.Delta_T)
    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = (
        "tau_m > 0",
        "dt <= tau_m",
        "Delta_T > 0",
        "V_reset < V_peak",
        "V_peak >= V_T",
    )
    currents: ClassVar[tuple[float, ...]] = (0.5, 0.25, 1.0, 1.5)

    V = State(init="E_L", unit="mV")
    I = Input(unit="nA")  # noqa: E741 - the field's symbol

    def update(self, V: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        x = np.exp((V - self.V_T) / self.Delta_T)
        V_next = V + self.dt / self.tau_m * (self.E_L - V + self.Delta_T * x + self.R * I)
        spike = V_next >= self.V_peak
        return spike, np.where(spike, self.V_reset, V_next)
