import numpy as np

from scneuro import Input, Neuron, State


def linoid(x, y):
    """x / (1 - exp(-x / y)), which is y at x = 0."""
    near = np.abs(x) < 1e-4
    x = np.where(near, 1e-4, x)
    return x / (1 - np.exp(-x / y))


class FohlmeisterMiller(Neuron):
    """Retinal ganglion cell, five channels and calcium (Fohlmeister and Miller 1997)."""

    g_Na: float = 50.0  # mS/cm2
    g_Ca: float = 2.2
    g_A: float = 36.0
    g_K: float = 12.0
    g_KCa: float = 0.05
    g_L: float = 0.05
    V_Na: float = 35.0  # mV
    V_K: float = -75.0
    V_L: float = -62.0
    Ca_res: float = 0.1  # uM
    Ca_diss: float = 1.0  # uM
    tau_Ca: float = 50.0  # ms
    k_Ca: float = 0.01244  # uM/ms per uA/cm2, 3 / (2 F r) with r = 12.5 um
    dt: float = 0.01  # ms
    V = State(init=-65.0, unit="mV")
    m = State(init=0.05)
    h = State(init=0.7)
    c = State(init=0.005)
    n = State(init=0.1)
    A = State(init=0.1)
    hA = State(init=0.4)
    Ca = State(init="Ca_res", unit="uM")
    I = Input(unit="uA/cm2")
    currents = (2.0, 5.0, 10.0, 20.0)

    def update(self, V, m, h, c, n, A, hA, Ca, I):
        am, bm = 0.6 * linoid(V + 30, 10), 20 * np.exp(-(V + 55) / 18)
        ah, bh = 0.4 * np.exp(-(V + 50) / 20), 6 / (1 + np.exp(-0.1 * (V + 20)))
        ac, bc = 0.3 * linoid(V + 13, 10), 10 * np.exp(-(V + 38) / 18)
        an, bn = 0.02 * linoid(V + 40, 10), 0.4 * np.exp(-(V + 50) / 80)
        aA, bA = 0.006 * linoid(V + 90, 10), 0.1 * np.exp(-(V + 30) / 10)
        ahA, bhA = 0.04 * np.exp(-(V + 70) / 20), 0.6 / (1 + np.exp(-0.1 * (V + 40)))
        V_Ca = 12.72 * np.log(1800.0 / Ca)
        r = (Ca / self.Ca_diss) ** 2
        I_Ca = self.g_Ca * c**3 * (V - V_Ca)
        I_ion = (
            self.g_Na * m**3 * h * (V - self.V_Na)
            + I_Ca
            + (self.g_K * n**4 + self.g_A * A**3 * hA + self.g_KCa * r / (1 + r)) * (V - self.V_K)
            + self.g_L * (V - self.V_L)
        )
        V_next = V + self.dt * (I - I_ion)

        def gate(x, a, b):
            return x + self.dt * (a * (1 - x) - b * x)

        Ca_next = Ca + self.dt * (-self.k_Ca * I_Ca - (Ca - self.Ca_res) / self.tau_Ca)
        spike = (V < 0) & (V_next >= 0)
        return (
            spike,
            V_next,
            gate(m, am, bm),
            gate(h, ah, bh),
            gate(c, ac, bc),
            gate(n, an, bn),
            gate(A, aA, bA),
            gate(hA, ahA, bhA),
            Ca_next,
        )
