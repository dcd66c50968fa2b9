"""A leaky integrate-and-fire neuron with a noise current."""

from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..neuron import Neuron
from ..stochastic import Noise

__all__ = ["NoisyLIF"]


class NoisyLIF(Neuron):
    """Leaky integrate-and-fire neuron with diffusive noise (Gerstner et al. 2014, eq. 8.7).

    tau_m dV/dt = E_L - V + R I + sigma sqrt(tau_m) xi(t), xi white noise;
    at V >= V_th: spike, V <- V_reset

    By Euler and Maruyama, with the variates of a :class:`~scneuro.Noise`: float, integers and gates
    draw the same ones.

    Parameters
    ----------
    tau_m : float
        Membrane time constant, ms.
    R : float
        Membrane resistance, MOhm (times nA is mV).
    E_L, V_th, V_reset : float
        Resting, threshold and reset potential, mV.
    sigma : float
        Strength of the noise, mV; without a threshold V would spread by sigma / sqrt(2).
    dt : float
        Time step, ms.
    """

    tau_m: float = 10.0
    R: float = 10.0
    E_L: float = -70.0
    V_th: float = -50.0
    V_reset: float = -65.0
    sigma: float = 4.0
    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = (
        "tau_m > 0",
        "dt <= tau_m",
        "V_reset < V_th",
        "sigma >= 0",
    )
    currents: ClassVar[tuple[float, ...]] = (1.8, 1.5, 2.0, 2.5)

    V = State(init="E_L", unit="mV")
    I = Input(unit="nA")  # noqa: E741 - the field's symbol
    xi = Noise("normal")

    def update(self, V: Any, I: Any, xi: Any) -> tuple[Any, ...]:  # noqa: E741
        drift = self.dt / self.tau_m * (self.E_L - V + self.R * I)
        V_next = V + drift + self.sigma * np.sqrt(self.dt / self.tau_m) * xi
        spike = V_next >= self.V_th
        return spike, np.where(spike, self.V_reset, V_next)
