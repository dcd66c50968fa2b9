"""The leaky integrate-and-fire neuron."""

from typing import Any, ClassVar

import numpy as np

from ..model import Input, State
from ..neuron import Neuron

__all__ = ["LIF"]


class LIF(Neuron):
    """Leaky integrate-and-fire neuron (Lapicque 1907; Gerstner et al. 2014, eq. 1.5).

    tau_m dV/dt = E_L - V + R I;  at V >= V_th: spike, V <- V_reset

    Parameters
    ----------
    tau_m : float
        Membrane time constant, ms.
    R : float
        Membrane resistance, MOhm (times nA is mV).
    E_L, V_th, V_reset : float
        Resting, threshold and reset potential, mV.
    dt : float
        Time step of explicit Euler, ms.
    """

    tau_m: float = 10.0
    R: float = 10.0
    E_L: float = -70.0
    V_th: float = -50.0
    V_reset: float = -65.0
    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = ("tau_m > 0", "dt <= tau_m", "V_reset < V_th")
    currents: ClassVar[tuple[float, ...]] = (2.5, 2.1, 3.0, 4.0)

    V = State(init="E_L", unit="mV")
    I = Input(unit="nA")  # noqa: E741 - the field's symbol

    def update(self, V: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        V_next = V + self.dt / self.tau_m * (self.E_L - V + self.R * I)
        spike = V_next >= self.V_th
        return spike, np.where(spike, self.V_reset, V_next)
