"""Kepecs and Wang (2000) Neurocomputing (reduced Pinsky-Rinzel 1994). Soma/dendrite bursts with
long pauses.
"""

import numpy as np

from scneuro import Input, Neuron, State


def alpha_m(V):
    return 0.1 * (V + 31) / (1 - np.exp(-0.1 * (V + 31)))


def alpha_n(V):
    return 0.01 * (V + 34) / (1 - np.exp(-0.1 * (V + 34)))


class KepecsWang(Neuron):
    """Kepecs and Wang (2000): Pinsky-Rinzel reduced to INa, IK (soma), INaP, IKS (dendrite)."""

    g_Na: float = 45.0  # mS/cm2
    g_K: float = 20.0
    g_L: float = 0.18
    g_NaP: float = 0.12
    g_KS: float = 0.7
    g_c: float = 1.0
    P: float = 0.15  # soma's share of the area
    E_Na: float = 55.0
    E_K: float = -80.0
    E_L: float = -65.0
    phi: float = 3.33
    dt: float = 0.02  # ms
    Vs = State(init=-65.0, unit="mV")
    Vd = State(init=-65.0, unit="mV")
    h = State(init=0.9)
    n = State(init=0.1)
    q = State(init=0.01)
    I = Input(unit="uA/cm2")
    currents = (2.0, 5.0, 10.0)

    def update(self, Vs, Vd, h, n, q, I):
        am = alpha_m(Vs)
        m = am / (am + 4 * np.exp(-(Vs + 56) / 18))
        ah = 0.07 * np.exp(-(Vs + 47) / 20)
        bh = 1 / (1 + np.exp(-0.1 * (Vs + 17)))
        an = alpha_n(Vs)
        bn = 0.125 * np.exp(-(Vs + 44) / 80)
        I_soma = (
            self.g_Na * m**3 * h * (Vs - self.E_Na)
            + self.g_K * n**4 * (Vs - self.E_K)
            + self.g_L * (Vs - self.E_L)
            + self.g_c / self.P * (Vs - Vd)
        )
        r = 1 / (1 + np.exp(-(Vd + 57.7) / 7.7))
        q_inf = 1 / (1 + np.exp(-(Vd + 35) / 6.5))
        tau_q = 200 / (np.exp(-(Vd + 55) / 30) + np.exp((Vd + 55) / 30))
        I_dend = (
            self.g_NaP * r**3 * (Vd - self.E_Na)
            + self.g_KS * q * (Vd - self.E_K)
            + self.g_L * (Vd - self.E_L)
            + self.g_c / (1 - self.P) * (Vd - Vs)
        )
        Vs_next = Vs + self.dt * (I - I_soma)
        Vd_next = Vd - self.dt * I_dend
        h_next = h + self.dt * self.phi * (ah * (1 - h) - bh * h)
        n_next = n + self.dt * self.phi * (an * (1 - n) - bn * n)
        q_next = q + self.dt * (q_inf - q) / tau_q
        spike = (Vs < -10.0) & (Vs_next >= -10.0)
        return spike, Vs_next, Vd_next, h_next, n_next, q_next
