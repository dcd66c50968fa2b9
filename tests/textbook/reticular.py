import numpy as np

from scneuro import Input, Neuron, State


class Reticular(Neuron):
    """Thalamic reticular cell with T-current and calcium (Destexhe et al. 1994, 1996)."""

    g_L: float = 0.05  # mS/cm2
    g_Na: float = 100.0
    g_K: float = 10.0
    g_T: float = 2.0
    E_L: float = -77.0  # mV
    E_Na: float = 50.0
    E_K: float = -95.0
    V_tr: float = -55.0  # mV, shifts the spike currents
    Ca_inf: float = 0.24  # uM
    tau_Ca: float = 5.0  # ms
    A: float = 0.0518  # uM cm2 / (ms uA)
    dt: float = 0.02  # ms
    V = State(init=-75.0, unit="mV")
    m = State(init=0.0)
    h = State(init=1.0)
    n = State(init=0.0)
    mT = State(init=0.03)
    hT = State(init=0.35)
    Ca = State(init="Ca_inf", unit="uM")
    I = Input(unit="uA/cm2")
    currents = (1.0, 2.0, 4.0)

    def update(self, V, m, h, n, mT, hT, Ca, I):
        v = V - self.V_tr
        am = 0.32 * (13 - v) / (np.exp((13 - v) / 4) - 1)
        bm = 0.28 * (v - 40) / (np.exp((v - 40) / 5) - 1)
        ah = 0.128 * np.exp((17 - v) / 18)
        bh = 4 / (1 + np.exp((40 - v) / 5))
        an = 0.032 * (15 - v) / (np.exp((15 - v) / 5) - 1)
        bn = 0.5 * np.exp((10 - v) / 40)
        mT_inf = 1 / (1 + np.exp(-(V + 52) / 7.4))
        hT_inf = 1 / (1 + np.exp((V + 80) / 5))
        tau_mT = (3 + 1 / (np.exp((V + 27) / 10) + np.exp(-(V + 102) / 15))) / 6.9
        tau_hT = (85 + 1 / (np.exp((V + 48) / 4) + np.exp(-(V + 407) / 50))) / 3.74
        E_Ca = 13.36 * np.log(2000.0 / Ca)
        I_T = self.g_T * mT**2 * hT * (V - E_Ca)
        I_ion = (
            self.g_L * (V - self.E_L)
            + self.g_Na * m**3 * h * (V - self.E_Na)
            + self.g_K * n**4 * (V - self.E_K)
            + I_T
        )
        V_next = V + self.dt * (I - I_ion)
        m_next = m + self.dt * (am * (1 - m) - bm * m)
        h_next = h + self.dt * (ah * (1 - h) - bh * h)
        n_next = n + self.dt * (an * (1 - n) - bn * n)
        mT_next = mT + self.dt * (mT_inf - mT) / tau_mT
        hT_next = hT + self.dt * (hT_inf - hT) / tau_hT
        Ca_next = Ca + self.dt * (np.maximum(-self.A * I_T, 0.0) + (self.Ca_inf - Ca) / self.tau_Ca)
        spike = (V < 0) & (V_next >= 0)
        return spike, V_next, m_next, h_next, n_next, mT_next, hT_next, Ca_next
