"""What of a network is looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...errors import did_you_mean
from ...network import Network

__all__ = ["MOST_NEURONS", "MOST_STATES", "Choice", "checked", "known", "numbered", "usual"]

#: States that can be seen at once, and of how many neurons.
MOST_STATES, MOST_NEURONS = 3, 8
_USUAL = 3  # neurons


@dataclass(frozen=True)
class Choice:
    """What is looked at.

    Attributes
    ----------
    populations : tuple of str
        Whose spikes are seen, besides those that leave the chip anyway.
    states : tuple of str
        ``POPULATION.STATE``, at most :data:`MOST_STATES`.
    neurons : tuple of int
        Whose states they are, at most :data:`MOST_NEURONS`, of the populations that have them.
    """

    populations: tuple[str, ...]
    states: tuple[str, ...]
    neurons: tuple[int, ...]

    def of(self, network: Network) -> dict[str, tuple[int, ...]]:
        """The neurons whose states are seen, by ``POPULATION.STATE``."""
        counts = {name: network.layers[name.rsplit(".", 1)[0]].count for name in self.states}
        return {name: tuple(n for n in self.neurons if n < counts[name]) for name in self.states}


def usual(network: Network, states: Sequence[str]) -> Choice:
    """All populations, and the first state of the first neurons of an output."""
    output = network.outputs[0]
    first = [name for name in states if name.rpartition(".")[0] == output][:1]
    count = min(_USUAL, network.layers[output].count)
    return Choice(tuple(network.layers), tuple(first), tuple(range(count)))


def checked(choice: Choice, network: Network, states: Sequence[str]) -> Choice:
    """A choice that can be seen.

    Raises
    ------
    ValueError
        There is no such population, state or neuron, or there are too many.
    """
    for name in choice.populations:
        known(name, tuple(network.layers), "population")
    for name in choice.states:
        known(name, states, "state")
    neurons = tuple(dict.fromkeys(choice.neurons))
    if len(set(choice.states)) > MOST_STATES or len(neurons) > MOST_NEURONS:
        raise ValueError(f"at most {MOST_STATES} states of {MOST_NEURONS} neurons can be seen")
    most = max(layer.count for layer in network.layers.values())
    if beyond := [n for n in neurons if n not in range(most)]:
        raise ValueError(f"there is no neuron {beyond[0]}: they are 0 to {most - 1}")
    return replace(choice, states=tuple(dict.fromkeys(choice.states)), neurons=neurons)


def known(name: str, there: Sequence[str], what: str) -> None:
    """Refuse what there is not.

    Raises
    ------
    ValueError
    """
    if name not in there:
        near = did_you_mean(str(name), there)
        raise ValueError(f"no {what} {name!r}; there are {', '.join(there)}. {near}".strip())


def numbered(text: str) -> tuple[int, ...]:
    """Neurons as they are typed: ``0, 3-5``.

    Raises
    ------
    ValueError
        It is something else, or of too many.
    """
    found: dict[int, None] = {}
    for part in re.split(r"[,;\s]+", text.strip()):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if part and match is None:
            raise ValueError(f"{part!r} is no neuron: write numbers, such as 0, 3-5")
        if match is not None:
            begin, end = int(match[1]), int(match[2] or match[1])
            found |= dict.fromkeys(range(begin, min(end, begin + MOST_NEURONS) + 1))
    if len(found) > MOST_NEURONS:
        raise ValueError(f"at most {MOST_NEURONS} neurons can be seen, not {text}")
    return tuple(found)
