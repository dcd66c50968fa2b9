import numpy as np

from scneuro import Input, Neuron, State


class PinskyRinzel(Neuron):
    """Two-compartment CA3 pyramidal cell (Pinsky and Rinzel 1994, J. Comput. Neurosci. 1:39).

    V is relative to rest. Calcium has the paper's arbitrary units, and reaches several hundred.
    """

    C: float = 3.0  # uF/cm2
    g_L: float = 0.1  # mS/cm2
    g_Na: float = 30.0
    g_DR: float = 15.0
    g_AHP: float = 0.8
    g_KC: float = 15.0
    g_Ca: float = 10.0
    g_c: float = 2.1
    p: float = 0.5
    V_Na: float = 120.0  # mV
    V_Ca: float = 140.0
    V_K: float = -15.0
    V_L: float = 0.0
    dt: float = 0.05  # ms
    Vs = State(init=-4.6, unit="mV")
    Vd = State(init=-4.5, unit="mV")
    h = State(init=0.999)
    n = State(init=0.001)
    s = State(init=0.009)
    c = State(init=0.007)
    q = State(init=0.01)
    Ca = State(init=0.2, word="Q11.5", range=(0, 1000))
    I = Input(unit="uA/cm2")
    currents = (0.75, 1.5, 2.5, 5.0)

    def update(self, Vs, Vd, h, n, s, c, q, Ca, I):
        am = 0.32 * (13.1 - Vs) / (np.exp((13.1 - Vs) / 4) - 1)
        bm = 0.28 * (Vs - 40.1) / (np.exp((Vs - 40.1) / 5) - 1)
        ah = 0.128 * np.exp((17 - Vs) / 18)
        bh = 4 / (1 + np.exp((40 - Vs) / 5))
        an = 0.016 * (35.1 - Vs) / (np.exp((35.1 - Vs) / 5) - 1)
        bn = 0.25 * np.exp(0.5 - 0.025 * Vs)
        as_ = 1.6 / (1 + np.exp(-0.072 * (Vd - 65)))
        bs = 0.02 * (Vd - 51.1) / (np.exp((Vd - 51.1) / 5) - 1)
        fast = 2 * np.exp((6.5 - Vd) / 27)
        ac = np.where(Vd <= 50, np.exp((Vd - 10) / 11 - (Vd - 6.5) / 27) / 18.975, fast)
        bc = np.where(Vd <= 50, fast - ac, 0.0)
        aq = np.minimum(0.00002 * Ca, 0.01)
        bq = 0.001
        m_inf = am / (am + bm)
        chi = np.minimum(Ca / 250, 1.0)

        I_Na = self.g_Na * m_inf**2 * h * (Vs - self.V_Na)
        I_DR = self.g_DR * n * (Vs - self.V_K)
        I_Ca = self.g_Ca * s**2 * (Vd - self.V_Ca)
        I_AHP = self.g_AHP * q * (Vd - self.V_K)
        I_KC = self.g_KC * c * chi * (Vd - self.V_K)
        dVs = -self.g_L * (Vs - self.V_L) - I_Na - I_DR + (self.g_c * (Vd - Vs) + I) / self.p
        dVd = (
            -self.g_L * (Vd - self.V_L) - I_Ca - I_AHP - I_KC + self.g_c * (Vs - Vd) / (1 - self.p)
        )

        Vs_next = Vs + self.dt * dVs / self.C
        Vd_next = Vd + self.dt * dVd / self.C
        h_next = h + self.dt * (ah * (1 - h) - bh * h)
        n_next = n + self.dt * (an * (1 - n) - bn * n)
        s_next = s + self.dt * (as_ * (1 - s) - bs * s)
        c_next = c + self.dt * (ac * (1 - c) - bc * c)
        q_next = q + self.dt * (aq * (1 - q) - bq * q)
        Ca_next = Ca + self.dt * (-0.13 * I_Ca - 0.075 * Ca)
        spike = (Vs < 50) & (Vs_next >= 50)
        return spike, Vs_next, Vd_next, h_next, n_next, s_next, c_next, q_next, Ca_next
