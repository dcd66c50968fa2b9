"""What the tests of claims share."""

from scneuro import Input, Neuron, State


class Leak(Neuron):
    """A neuron whose update takes few clocks, so that little has to be searched."""

    V = State(init=0.25)
    I = Input()
    currents = (1.0,)

    def update(self, V, I):
        return V >= 1.0, 0.5 * V + 0.25 * I


def names(results):
    """The claims, each by its last part."""
    return [r.name.split(", ")[-1] for r in results]


def broken(results):
    """The claims for which there is a counterexample."""
    assert not any(r.ok for r in results)
    return {r.name.split(", ")[-1] for r in results if r.counterexample}
