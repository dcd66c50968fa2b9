"""A chip without a board: the integers of a network, with the surface of one on a board."""

from types import SimpleNamespace

import numpy as np

from scneuro.boards.link.port import LinkError
from scneuro.network import Network, NetworkRecording
from scneuro.network.run import given_inputs


class IntegerChip:
    """The integers of a network of one population, :meth:`Network.of` a neuron or population.

    ``fails`` is how many calls from now the link fails; ``board`` is what stays when it has.
    """

    def __init__(self, target, memory=None):
        self.network = Network.of(target)
        self.fixed = target.fixed()
        self.identity = SimpleNamespace(board="icebreaker")
        self.name, self.dt = self.network.name, self.network.dt
        ((self.there, layer),) = self.network.layers.items()
        self.count = layer.count
        self.made = self.late = 0
        self.control = None
        self.given = None
        self.left = []
        self.fails = None
        self.closed = False
        self.states = _States(self)

    def _link(self):
        if self.closed:
            raise LinkError("the stand-in is closed")
        if self.fails is not None:
            self.fails -= 1
            if self.fails < 0:
                raise LinkError("the stand-in's link failed", "plug it in")

    @property
    def counters(self):
        self._link()
        self._follow()
        found = {"steps": self.made, "late": self.late, "saturated": 0, "dropped": 0}
        return found | {"repeated": 0}

    def reset(self):
        self._link()
        self.control, self.left = None, []
        self.fixed.reset()

    def _one(self, given):
        words = {n: np.reshape(v, -1) for n, v in given.items()}
        spike, _ = self.fixed.step(
            **{n: v if self.count > 1 else float(v[0]) for n, v in words.items()}
        )
        self.made += 1
        return np.reshape(spike, -1).astype(bool)

    def run(self, *, progress=True, record=None, reset=True, **inputs):
        self._link()
        assert not reset
        self.control, self.left = None, []
        given, _ = given_inputs(self.network, inputs)
        steps = len(next(iter(given.values())))
        names = record.get(self.there, ())
        spikes, states = [], {n: [] for n in names}
        for t in range(steps):
            spikes.append(self._one({n: v[t, 0] for n, v in given.items()}))
            for n in names:
                states[n].append(np.reshape(self.states[f"{self.there}.{n}"], -1))
        table = {n: np.stack(v) for n, v in states.items()}
        return NetworkRecording(self.dt, {self.there: np.stack(spikes)}, {self.there: table})

    def hold(self, **inputs):
        self._link()
        self.given = inputs

    def start(self, steps=None, *, paced=True):
        self._link()
        self.control = paced

    def pause(self):
        self._link()
        self.control = None

    def _follow(self):
        """Twenty steps have passed since the last look."""
        if self.control is not None:
            self.left += [self._one(self.given) for _ in range(20)]

    def collect(self):
        self._link()
        self._follow()
        rows, self.left = self.left, []
        table = np.stack(rows) if rows else np.zeros((0, self.count), dtype=bool)
        return NetworkRecording(self.dt, {self.there: table}, {self.there: {}})

    def close(self):
        self.closed = True


class _States:
    def __init__(self, chip):
        self.chip = chip
        self.names = {f"{chip.there}.{n}": n for n in chip.fixed.registers}

    def __iter__(self):
        return iter(self.names)

    def __getitem__(self, name):
        self.chip._link()
        one = getattr(self.chip.fixed, "one", self.chip.fixed)
        r = one.lowered.registers[self.names[name]]
        return np.reshape(r.to_word(one.registers[r.name]) * r.word.lsb, -1).astype(float)

    def __setitem__(self, name, values):
        self.chip._link()
        self.chip.fixed.write(self.names[name], values)

    def set_one(self, name, neuron, value):
        values = self[name].copy()
        values[neuron] = value
        self[name] = values
