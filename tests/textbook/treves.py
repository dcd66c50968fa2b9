import numpy as np

from scneuro import Input, Neuron, State


class Treves(Neuron):
    """Leaky integrate-and-fire with an AHP conductance (Treves 1993, Network 4:259)."""

    C: float = 0.5  # nF
    g_L: float = 25.0  # nS
    E_L: float = -70.0  # mV
    E_K: float = -80.0
    V_th: float = -50.0
    V_reset: float = -60.0
    tau_K: float = 80.0  # ms
    dg: float = 10.0  # nS
    dt: float = 0.1  # ms
    V = State(init="E_L", unit="mV")
    g_K = State(unit="nS")
    I = Input(unit="nA")
    currents = (0.6, 1.0, 2.0, 4.0)

    def update(self, V, g_K, I):
        I_pA = 1000.0 * I + self.g_L * (self.E_L - V) + g_K * (self.E_K - V)
        V_next = V + self.dt * I_pA / (1000.0 * self.C)
        g_next = g_K * (1 - self.dt / self.tau_K)
        spike = V_next >= self.V_th
        V_next = np.where(spike, self.V_reset, V_next)
        g_next = np.where(spike, g_next + self.dg, g_next)
        return spike, V_next, g_next
