"""What a chip says of itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from importlib import import_module
from typing import Any

from ..errors import ScneuroError
from ..neuron import Neuron
from ..population import Population
from .messages import IDENTITY_WORDS, PROTOCOL

__all__ = ["Identity", "described", "in_words", "made_again"]

_MOST_NAME = 64
_OURS = "scneuro.neurons."


@dataclass(frozen=True)
class Identity:
    """What a chip says of itself.

    Attributes
    ----------
    digest : str
        Of what it computes, as :attr:`scneuro.network.FixedNetwork.digest`.
    name : str
    board : str
    clock_hz, baud : int
    dt : float
        In ms.
    lanes : int
        Weights that are added in a clock.
    loaded : bool
        Whether weights have to be written first: by a host, unless the board's flash has them.
    results : int
        Words of results that it keeps; positions are modulo twice as many.
    target : dict or None
        What makes the neuron or the population again, where that is known and short.
    scneuro : int
        The version of the protocol.
    """

    digest: str
    name: str
    board: str
    clock_hz: int
    baud: int
    dt: float
    lanes: int
    loaded: bool
    results: int
    target: dict[str, Any] | None = field(default=None, compare=False)
    scneuro: int = PROTOCOL

    def to_bytes(self) -> bytes:
        """As JSON, short enough for the memory that it lies in."""
        said = asdict(self) | {"name": self.name[:_MOST_NAME]}
        whole = _compact(said)
        if len(whole) > 2 * IDENTITY_WORDS:
            whole = _compact(said | {"target": None})
        return whole

    @classmethod
    def from_bytes(cls, whole: bytes) -> Identity:
        """What :meth:`to_bytes` made.

        Raises
        ------
        ScneuroError
            It is something else, or of another version of the protocol.
        """
        try:
            said = json.loads(whole.rstrip(b"\0"))
            version = said["scneuro"]
            known = {f.name for f in fields(cls)}
            found = cls(**{name: value for name, value in said.items() if name in known})
        except (ValueError, TypeError, KeyError):
            raise ScneuroError(
                "the chip's identity makes no sense", "is it programmed with a scneuro design?"
            ) from None
        if version != PROTOCOL:
            raise ScneuroError(
                f"the chip speaks version {version} of the link, and this is version {PROTOCOL}",
                "build and load its design again",
            )
        return found


def _compact(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()


def described(target: Neuron | Population) -> dict[str, Any] | None:
    """What :func:`made_again` makes the same of; None where it is not of ours and a few numbers."""
    population = target if isinstance(target, Population) else None
    neuron = population.neuron if population else target
    spec = neuron.spec
    own = spec.others or spec.initial or spec.words
    if population is not None:
        own = own or population.init or population.parameters
    if own or not spec.where.startswith(_OURS):
        return None
    found: dict[str, Any] = {"of": spec.where.removeprefix(_OURS)}
    if population is not None:
        found["count"] = population.count
    if spec.preset is not None:
        found["preset"] = spec.preset
    elif spec.arguments:
        return None
    found |= {"given": dict(spec.keywords)} if spec.keywords else {}
    found |= {"seed": spec.seed} if spec.seed != 1 else {}
    return found | ({"budget": spec.budget} if spec.budget is not None else {})


def in_words(said: dict[str, Any]) -> str:
    """The same as one writes it, such as ``3 LIF(tau_m=1.5)``."""
    name = str(said.get("of")).rpartition(":")[-1]
    given = said.get("given", {}) | {n: said[n] for n in ("seed", "budget") if n in said}
    words = [repr(said["preset"])] if "preset" in said else []
    words += [f"{n}={value!r}" for n, value in given.items()]
    return f"{said.get('count', '')} {name}({', '.join(words)})".lstrip()


def made_again(said: dict[str, Any]) -> Neuron | Population:
    """The neuron or the population that :func:`described` said.

    Raises
    ------
    ScneuroError
        There is no such neuron here.
    """
    module, _, name = str(said.get("of")).partition(":")
    try:
        if not module.isidentifier():
            raise ImportError
        kind = getattr(import_module(_OURS + module), name)
        given = said.get("given", {})
        preset = said.get("preset")
        neuron = kind(**given) if preset is None else kind.preset(preset, **given)
        neuron.seed = said.get("seed", 1)
        neuron.reset()
        neuron.budget = said.get("budget")
        assert isinstance(neuron, Neuron)
        return Population(neuron, said["count"]) if "count" in said else neuron
    except (ImportError, AttributeError, TypeError, ValueError, AssertionError):
        raise ScneuroError(
            f"the chip holds {said.get('of')}, and there is none here",
            "say what it holds, as it was built",
        ) from None
