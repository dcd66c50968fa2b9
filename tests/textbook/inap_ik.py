import numpy as np

from scneuro import Input, Neuron, State


class INapIK(Neuron):
    """Persistent sodium plus potassium model (Izhikevich 2007, chapter 4)."""

    C: float = 1.0
    g_L: float = 8.0
    g_Na: float = 20.0
    g_K: float = 10.0
    E_L: float = -80.0  # mV
    E_Na: float = 60.0
    E_K: float = -90.0
    tau: float = 1.0  # ms
    dt: float = 0.01  # ms
    V = State(init=-66.0, unit="mV")
    n = State(init=0.0)
    I = Input(unit="uA/cm2")
    currents = (5.0, 10.0, 40.0)

    def update(self, V, n, I):
        m_inf = 1.0 / (1.0 + np.exp((-20.0 - V) / 15.0))
        n_inf = 1.0 / (1.0 + np.exp((-25.0 - V) / 5.0))
        dV = (
            I
            - self.g_L * (V - self.E_L)
            - self.g_Na * m_inf * (V - self.E_Na)
            - self.g_K * n * (V - self.E_K)
        ) / self.C
        V_next = V + self.dt * dV
        n_next = n + self.dt * (n_inf - n) / self.tau
        spike = (V < -20.0) & (V_next >= -20.0)
        return spike, V_next, n_next
