import numpy as np

from scneuro import Input, Neuron, State


class TsodyksMarkram(Neuron):
    """A dynamic synapse (Tsodyks, Pawelzik and Markram 1998) that drives a LIF.

    The presynaptic cell fires regularly at the rate that is the input. Facilitating parameters.
    """

    U: float = 0.15
    tau_rec: float = 130.0  # ms
    tau_facil: float = 530.0
    tau_syn: float = 3.0
    A: float = 1000.0  # mV, absolute synaptic strength times resistance
    tau_m: float = 30.0  # ms
    V_th: float = 15.0  # mV
    V_reset: float = 0.0
    dt: float = 0.1  # ms
    V = State(unit="mV")
    y = State()
    x = State(init=1.0)
    u = State(init=0.15)
    phase = State()
    rate = Input(unit="Hz")
    currents = (5.0, 20.0, 40.0)

    def update(self, V, y, x, u, phase, rate):
        phase_next = phase + self.dt * rate / 1000
        pre = phase_next >= 1
        phase_next = np.where(pre, phase_next - 1, phase_next)

        x_next = x + self.dt * (1 - x) / self.tau_rec
        u_next = u + self.dt * (self.U - u) / self.tau_facil
        y_next = y - self.dt * y / self.tau_syn
        u_after = u_next + self.U * (1 - u_next)
        released = u_after * x_next
        u_next = np.where(pre, u_after, u_next)
        x_next = np.where(pre, x_next - released, x_next)
        y_next = np.where(pre, y_next + released, y_next)

        V_next = V + self.dt / self.tau_m * (-V + self.A * y)
        spike = V_next >= self.V_th
        V_next = np.where(spike, self.V_reset, V_next)
        return spike, V_next, y_next, x_next, u_next, phase_next
