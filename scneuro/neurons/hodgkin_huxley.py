"""The Hodgkin-Huxley neuron, made of channels."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..channel import Channel, Gate, linoid
from ..declare import Input, State
from ..neuron import Neuron

__all__ = ["HodgkinHuxley", "leak", "m_type", "potassium", "sodium"]

sodium = Channel(
    "Na",
    g=120.0,
    E=50.0,
    gates=(
        Gate("m", 3, lambda V: linoid((V + 40) / 10), lambda V: 4 * np.exp(-(V + 65) / 18)),
        Gate(
            "h",
            1,
            lambda V: 0.07 * np.exp(-(V + 65) / 20),
            lambda V: 1 / (1 + np.exp(-(V + 35) / 10)),
        ),
    ),
)
potassium = Channel(
    "K",
    g=36.0,
    E=-77.0,
    gates=(
        Gate(
            "n",
            4,
            lambda V: 0.1 * linoid((V + 55) / 10),
            lambda V: 0.125 * np.exp(-(V + 65) / 80),
        ),
    ),
)
leak = Channel("leak", g=0.3, E=-54.387)
#: The slow, non-inactivating potassium current (Yamada et al. 1989).
m_type = Channel(
    "M",
    g=0.07,
    E=-77.0,
    gates=(
        Gate.relaxing(
            "p",
            1,
            lambda V: 1 / (1 + np.exp(-(V + 35) / 10)),
            lambda V: 1000 / (3.3 * np.exp((V + 35) / 20) + np.exp(-(V + 35) / 20)),
        ),
    ),
)


class HodgkinHuxley(Neuron):
    """Hodgkin-Huxley neuron of any channels; the squid axon (Hodgkin and Huxley 1952) by default.

    C dV/dt = I - sum over channels of g (product of gate**power) (V - E),
    dx/dt = alpha_x(V) (1 - x) - beta_x(V) x for every gate x;  a spike is V rising through V_th

    V by explicit Euler; gates by exponential Euler (Rush and Larsen 1978), exact at constant V, so
    that they stay in [0, 1] at any dt. In hardware a gate is a Q1.15 word.

    Parameters
    ----------
    channels : sequence of Channel
        Besides ``sodium``, ``potassium`` and ``leak`` there is ``m_type``. Each gate becomes a
        state of the gate's name.
    C : float
        Membrane capacitance, uF/cm2.
    V_0 : float
        Initial potential, mV, with all gates at rest.
    V_th : float
        Where a spike is counted, mV.
    dt : float
        Time step, ms.

    Raises
    ------
    ValueError
        If two gates have the same name, or a gate the name of something else.
    """

    C: float = 1.0
    V_0: float = -65.0
    V_th: float = 0.0
    dt: float = 0.02
    constraints: ClassVar[tuple[str, ...]] = ("C > 0",)
    currents: ClassVar[tuple[float, ...]] = (10.0, 7.0, 15.0, 20.0)

    V = State(init="V_0", unit="mV", range=(-100.0, 60.0))
    I = Input(unit="uA/cm2")  # noqa: E741 - the field's symbol

    def __init__(
        self, channels: Sequence[Channel] = (sodium, potassium, leak), **parameters: float
    ) -> None:
        self.channels = tuple(channels)
        self._gates = tuple(gate for channel in self.channels for gate in channel.gates)
        taken = ["V", "I", *self._defaults]
        for gate in self._gates:
            if gate.name in taken:
                raise ValueError(f"HodgkinHuxley: the name {gate.name!r} of a gate is taken")
            taken.append(gate.name)
        super().__init__(**parameters)

    def further_states(self) -> dict[str, State]:
        return {
            gate.name: State(
                init=float(gate.steady(np.float64(self.V_0))), word="Q1.15", range=(0.0, 1.0)
            )
            for gate in self._gates
        }

    def update(self, V: Any, *values: Any) -> tuple[Any, ...]:
        *gates, I = values  # noqa: E741 - the field's symbol
        opened = dict(zip((gate.name for gate in self._gates), gates, strict=True))
        total = sum(channel.current(V, opened) for channel in self.channels)
        V_next = V + self.dt / self.C * (I - total)
        spike = (V_next >= self.V_th) & (self.V_th > V)
        moved = (gate.step(opened[gate.name], V, self.dt) for gate in self._gates)
        return spike, V_next, *moved
