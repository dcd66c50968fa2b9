import numpy as np

from scneuro import Input, Neuron, State


class PlatkiewiczBrette(Neuron):
    """Exponential IF whose threshold adapts (Platkiewicz and Brette 2011).

    tau dV/dt = E_L - V + Delta exp((V - theta) / Delta) + R I,
    tau_theta dtheta/dt = theta_inf(V) - theta, theta_inf = V_T + k_a log(1 + exp((V - V_i) / k_i))
    """

    tau: float = 10.0  # ms
    E_L: float = -70.0  # mV
    Delta: float = 1.0
    V_T: float = -58.0
    V_i: float = -63.0
    k_i: float = 6.0
    k_a: float = 3.0
    tau_theta: float = 7.0  # ms
    R: float = 100.0  # MOhm
    V_peak: float = -20.0
    V_reset: float = -70.0
    dt: float = 0.05  # ms
    V = State(init="E_L", unit="mV")
    theta = State(init=-57.0, unit="mV")
    I = Input(unit="nA")
    currents = (0.3, 0.5, 1.0)

    def update(self, V, theta, I):
        theta_inf = self.V_T + self.k_a * np.log(1 + np.exp((V - self.V_i) / self.k_i))
        sodium = self.Delta * np.exp((V - theta) / self.Delta)
        V_next = V + self.dt / self.tau * (self.E_L - V + sodium + self.R * I)
        theta_next = theta + self.dt / self.tau_theta * (theta_inf - theta)
        spike = V_next >= self.V_peak
        return spike, np.where(spike, self.V_reset, V_next), theta_next
