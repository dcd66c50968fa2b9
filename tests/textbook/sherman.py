import numpy as np

from scneuro import Input, Neuron, State


class Sherman(Neuron):
    """Pancreatic beta-cell (Sherman, Rinzel and Keizer 1988, reduced)."""

    tau: float = 20.0  # ms
    tau_s: float = 35000.0  # ms
    lam: float = 0.8
    g_Ca: float = 3.6
    g_K: float = 10.0
    g_s: float = 4.0
    V_Ca: float = 25.0  # mV
    V_K: float = -75.0
    dt: float = 0.1  # ms
    V = State(init=-60.0, unit="mV")
    n = State(init=0.0)
    S = State(init=0.2)
    I = Input(unit="mV")
    currents = (5.0, 10.0, 15.0)

    def update(self, V, n, S, I):
        m_inf = 1 / (1 + np.exp((-20 - V) / 12))
        n_inf = 1 / (1 + np.exp((-17 - V) / 5.6))
        S_inf = 1 / (1 + np.exp((-38 - V) / 10))
        I_Ca = self.g_Ca * m_inf * (V - self.V_Ca)
        I_K = self.g_K * n * (V - self.V_K)
        I_s = self.g_s * S * (V - self.V_K)
        V_next = V + self.dt / self.tau * (I - I_Ca - I_K - I_s)
        n_next = n + self.dt * self.lam / self.tau * (n_inf - n)
        S_next = S + self.dt / self.tau_s * (S_inf - S)
        spike = (V < -30) & (V_next >= -30)
        return spike, V_next, n_next, S_next
