"""The built-in neurons, one to a file: a file in this folder is all it takes to add one."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..neuron import Neuron

__all__ = ["builtin", "builtins", "called", "summaries"]


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


def called(name: str) -> str | None:
    """The built-in neuron that goes by a name, its own or its class's, however it is spelt."""

    def plain(text: str) -> str:
        return text.lower().replace("_", "")

    for known in builtins():
        if plain(name) in (plain(known), plain(_class(known).name)):
            return known
    return None


def summaries() -> dict[str, str]:
    """What each built-in neuron says it is, in a line, by name; read without importing it."""
    return {name: (ast.get_docstring(_class(name)) or "").partition("\n")[0] for name in builtins()}


def _class(name: str) -> ast.ClassDef:
    """The class of a built-in neuron, as it is written: the first name its file exports."""
    body = ast.parse((Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")).body
    (exported,) = (
        ast.literal_eval(node.value)
        for node in body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    (found,) = (n for n in body if isinstance(n, ast.ClassDef) and n.name == exported[0])
    return found
