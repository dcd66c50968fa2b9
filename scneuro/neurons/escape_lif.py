"""A leaky integrate-and-fire neuron with escape noise."""

from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..neuron import Neuron
from ..stochastic import Noise

__all__ = ["EscapeLIF"]


class EscapeLIF(Neuron):
    """Leaky integrate-and-fire neuron with escape noise (Gerstner et al. 2014, eq. 9.2).

    tau_m dV/dt = E_L - V + R I;  spike with the rate exp((V - V_th) / Delta_u) / tau_0 and then
    V <- V_reset

    In a step of dt at V the probability of a spike is 1 - exp(-rate dt); it is compared with a
    uniform :class:`~scneuro.Noise` that float, integers and gates draw alike.

    Parameters
    ----------
    tau_m : float
        Membrane time constant, ms.
    R : float
        Membrane resistance, MOhm (times nA is mV).
    E_L, V_th, V_reset : float
        Resting, threshold and reset potential, mV.
    Delta_u : float
        Softness of the threshold, mV.
    tau_0 : float
        Mean time to a spike at V = V_th, ms.
    dt : float
        Time step, ms.
    """

    tau_m: float = 10.0
    R: float = 10.0
    E_L: float = -70.0
    V_th: float = -50.0
    V_reset: float = -65.0
    Delta_u: float = 2.0
    tau_0: float = 2.0
    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = (
        "tau_m > 0",
        "dt <= tau_m",
        "V_reset < V_th",
        "Delta_u > 0",
        "tau_0 > 0",
    )
    currents: ClassVar[tuple[float, ...]] = (2.0, 1.5, 2.5, 3.0)

    V = State(init="E_L", unit="mV")
    I = Input(unit="nA")  # noqa: E741 - the field's symbol
    u = Noise("uniform")

    def update(self, V: Any, I: Any, u: Any) -> tuple[Any, ...]:  # noqa: E741
        V_next = V + self.dt / self.tau_m * (self.E_L - V + self.R * I)
        hazard = np.exp(np.minimum((V - self.V_th) / self.Delta_u, 10.0)) * self.dt / self.tau_0
        spike = u < -np.expm1(-hazard)
        return spike, np.where(spike, self.V_reset, V_next)
