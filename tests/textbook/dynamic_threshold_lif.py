"""Platkiewicz and Brette (2010, 2011) PLoS Comput Biol. LIF whose threshold follows V by a
softplus; near-regular.
"""

import numpy as np

from scneuro import Input, Neuron, State


class DynamicThresholdLIF(Neuron):
    """Platkiewicz and Brette (2010, 2011): the threshold follows V, by a softplus."""

    tau_m: float = 10.0  # ms
    tau_th: float = 7.0
    E_L: float = -70.0
    V_T: float = -55.0
    V_i: float = -60.0
    k: float = 3.0
    alpha: float = 0.6
    V_r: float = -65.0
    jump: float = 3.0
    dt: float = 0.1  # ms
    V = State(init="E_L", unit="mV")
    theta = State(init="V_T", unit="mV")
    I = Input(unit="mV")
    currents = (25.0, 35.0, 50.0)

    def update(self, V, theta, I):
        theta_inf = self.V_T + self.alpha * self.k * np.log(1 + np.exp((V - self.V_i) / self.k))
        V_next = V + self.dt / self.tau_m * (self.E_L - V + I)
        theta_next = theta + self.dt / self.tau_th * (theta_inf - theta)
        spike = V_next > theta_next
        V_next = np.where(spike, self.V_r, V_next)
        theta_next = np.where(spike, theta_next + self.jump, theta_next)
        return spike, V_next, theta_next
