"""The built-in neurons, one to a file: a file in this folder is all it takes to add one."""

from __future__ import annotations

import importlib
import pkgutil

from ..neuron import Neuron

__all__ = ["builtin", "builtins"]


def builtins() -> list[str]:
    """The names of the built-in neurons."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def builtin(name: str) -> type[Neuron]:
    """The class of a built-in neuron.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    if name not in builtins():
        raise KeyError(name)
    module = importlib.import_module(f"{__name__}.{name}")
    neuron: type[Neuron] = getattr(module, module.__all__[0])
    return neuron
