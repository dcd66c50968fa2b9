"""Izhikevich (2007) Dynamical Systems in Neuroscience, ch. 8, RS cell. Adapting tonic firing."""

import numpy as np

from scneuro import Input, Neuron, State


class Izhikevich2007(Neuron):
    """Izhikevich (2007), chapter 8: the regular-spiking cell with C, k, v_r, v_t."""

    C: float = 100.0  # pF
    k: float = 0.7
    v_r: float = -60.0
    v_t: float = -40.0
    a: float = 0.03
    b: float = -2.0
    c: float = -50.0
    d: float = 100.0
    v_peak: float = 35.0
    dt: float = 0.1  # ms
    v = State(init=-60.0, unit="mV")
    u = State(unit="pA")
    I = Input(unit="pA")
    currents = (60.0, 80.0, 100.0)

    def update(self, v, u, I):
        v_next = v + self.dt * (self.k * (v - self.v_r) * (v - self.v_t) - u + I) / self.C
        u_next = u + self.dt * self.a * (self.b * (v - self.v_r) - u)
        spike = v_next >= self.v_peak
        return spike, np.where(spike, self.c, v_next), np.where(spike, u_next + self.d, u_next)
