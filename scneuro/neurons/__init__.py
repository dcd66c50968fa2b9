"""The built-in neurons, one to a file: a file in this folder is all it takes to add one."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..neuron import Neuron

__all__ = ["builtin", "builtins", "summaries"]


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


def summaries() -> dict[str, str]:
    """What each built-in neuron says it is, in a line, by name; read without importing it."""
    found = {}
    for name in builtins():
        source = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        classes = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
        found[name] = (ast.get_docstring(next(classes)) or "").partition("\n")[0]
    return found
