"""Packages whose exports are imported when they are asked for (PEP 562).

So that a list of the neurons does not load NumPy, a list of the boards no Amaranth, and pytest,
which loads the plugin from this package whether it is used or not, nothing at all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["on_demand"]


def on_demand(
    package: str, where: Mapping[str, str], packages: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package, which find its own modules, too.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    where : mapping of str to str
        The module of the package that has each name; of the package around it after a dot.
    packages : iterable of str
        Packages of the package that ``__dir__`` lists besides.
    """

    def find(name: str) -> Any:
        if name in where:
            return getattr(import_module(f".{where[name]}", package), name)
        module = f"{package}.{name}"
        try:
            if not name.startswith("_"):
                return import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *where, *packages})

    return find, names
