import numpy as np

from scneuro import Input, Neuron, State


class GIF(Neuron):
    """Generalised integrate-and-fire (Mensi et al. 2012, Pozzorini et al. 2015), without noise.

    A spike adds to two currents eta and to two movements gamma of the threshold.
    """

    C: float = 0.1  # nF
    g_L: float = 0.005  # uS
    E_L: float = -70.0  # mV
    V_reset: float = -55.0
    V_T: float = -48.0
    t_ref: float = 4.0  # ms
    eta_1: float = 0.05  # nA
    eta_2: float = 0.01
    gamma_1: float = 8.0  # mV
    gamma_2: float = 1.5
    tau_1: float = 20.0  # ms
    tau_2: float = 200.0
    dt: float = 0.1  # ms
    V = State(init="E_L", unit="mV")
    e1 = State(unit="nA")
    e2 = State(unit="nA")
    g1 = State(unit="mV")
    g2 = State(unit="mV")
    ref = State(unit="ms")
    I = Input(unit="nA")
    currents = (0.15, 0.25, 0.5, 1.0)

    def update(self, V, e1, e2, g1, g2, ref, I):
        refractory = ref > 0
        V_next = V + self.dt / self.C * (self.g_L * (self.E_L - V) - e1 - e2 + I)
        V_next = np.where(refractory, self.V_reset, V_next)
        spike = (V_next >= self.V_T + g1 + g2) & ~refractory
        e1 = e1 * np.exp(-self.dt / self.tau_1)
        e2 = e2 * np.exp(-self.dt / self.tau_2)
        g1 = g1 * np.exp(-self.dt / self.tau_1)
        g2 = g2 * np.exp(-self.dt / self.tau_2)
        return (
            spike,
            np.where(spike, self.V_reset, V_next),
            np.where(spike, e1 + self.eta_1, e1),
            np.where(spike, e2 + self.eta_2, e2),
            np.where(spike, g1 + self.gamma_1, g1),
            np.where(spike, g2 + self.gamma_2, g2),
            np.where(spike, self.t_ref, np.maximum(ref - self.dt, 0.0)),
        )
