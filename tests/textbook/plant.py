import numpy as np

from scneuro import Input, Neuron, State


class Plant(Neuron):
    """Plant's model of the Aplysia R15 burster (Plant 1981; parameters of Rinzel and Lee 1987)."""

    g_Na: float = 4.0  # mS/cm2
    g_Ca: float = 0.004
    g_K: float = 0.3
    g_KCa: float = 0.03
    g_L: float = 0.003
    V_Na: float = 30.0  # mV
    V_Ca: float = 140.0
    V_K: float = -75.0
    V_L: float = -40.0
    lam: float = 0.08
    tau_x: float = 235.0  # ms
    rho: float = 0.0003  # 1/ms
    K_c: float = 0.0085  # 1/mV
    dt: float = 0.1  # ms
    V = State(init=-55.0, unit="mV")
    h = State(init=0.8)
    n = State(init=0.2)
    x = State(init=0.3)
    c = State(init=0.5)
    I = Input(unit="uA/cm2")
    currents = (0.1, 0.2, 0.4)

    def update(self, V, h, n, x, c, I):
        Vs = (127.0 * V + 8265.0) / 105.0
        am = 0.1 * (50 - Vs) / (np.exp((50 - Vs) / 10) - 1)
        bm = 4 * np.exp((25 - Vs) / 18)
        ah = 0.07 * np.exp((25 - Vs) / 20)
        bh = 1 / (np.exp((55 - Vs) / 10) + 1)
        an = 0.01 * (55 - Vs) / (np.exp((55 - Vs) / 10) - 1)
        bn = 0.125 * np.exp((45 - Vs) / 80)
        m_inf = am / (am + bm)
        x_inf = 1 / (np.exp(0.15 * (-V - 50)) + 1)
        I_ion = (
            self.g_Na * m_inf**3 * h * (V - self.V_Na)
            + self.g_Ca * x * (V - self.V_Ca)
            + (self.g_K * n**4 + self.g_KCa * c / (0.5 + c)) * (V - self.V_K)
            + self.g_L * (V - self.V_L)
        )
        V_next = V + self.dt * (I - I_ion)
        h_next = h + self.dt * self.lam * (ah * (1 - h) - bh * h)
        n_next = n + self.dt * self.lam * (an * (1 - n) - bn * n)
        x_next = x + self.dt * (x_inf - x) / self.tau_x
        c_next = c + self.dt * self.rho * (self.K_c * x * (self.V_Ca - V) - c)
        spike = (V < 0) & (V_next >= 0)
        return spike, V_next, h_next, n_next, x_next, c_next
