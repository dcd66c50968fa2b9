"""Python files that are no part of a package, and how another process finds what is in them."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from pickle import PicklingError
from types import ModuleType
from typing import Any

from ..errors import FileTrouble
from .source import line_of, said

__all__ = ["Place", "is_nir", "load_file"]

_LOADED: dict[str, tuple[str, bytes]] = {}
"""The file of each module that was loaded from one, and what was in it."""

_FOLDERS: list[str] = []
"""Where these files are: what is next to them can be imported, as when Python runs a file."""


def is_nir(name: str) -> bool:
    """Whether a name is that of a NIR file."""
    return name.endswith(".nir")


def load_file(file: Path | str) -> ModuleType:
    """The module that a Python file makes; the same one for as long as the file stays as it is.

    Raises
    ------
    FileTrouble
        If it is missing, or fails when it is run.
    """
    path = Path(file).resolve()
    if path.suffix != ".py" or not path.is_file():
        raise FileTrouble(
            f"there is no file {file}" if path.suffix == ".py" else f"{file} is no Python file",
            "a neuron of your own is path/to/file.py:Class",
        )
    name = f"scneuro_user_{path.stem}_{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"
    content = str(path), path.read_bytes()
    if name in sys.modules and _LOADED.get(name) == content:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    _see_neighbours(path)
    try:
        # not by its loader: Python's cache takes one of the same second and size for the same
        exec(compile(content[1], path, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        where, text = line_of(error)
        at = ": ".join(part for part in (where, text) if part)
        raise FileTrouble(
            f"{file} fails when it is run: {said(error)}" + f" ({at})" * bool(at),
            "what is to run only as a program goes under if __name__ == '__main__':"
            if isinstance(error, SystemExit)
            else "",
        ) from None
    _LOADED[name] = content
    return module


def _see_neighbours(path: Path) -> None:
    """Let a file import what is in its folder, and not what has that name in another's."""
    folder = str(path.parent)
    for neighbour in path.parent.glob("*.py"):
        known = getattr(sys.modules.get(neighbour.stem), "__file__", None)
        if known and Path(known).parent != path.parent and str(Path(known).parent) in _FOLDERS:
            del sys.modules[neighbour.stem]
    if folder in _FOLDERS:
        _FOLDERS.remove(folder)
        sys.path.remove(folder)
    if folder not in sys.path:
        _FOLDERS.append(folder)
        sys.path.insert(0, folder)


def _file_of(module: str) -> str:
    """The user's file that a module is: one that was loaded, or one that such a file imported."""
    if module in _LOADED:
        return _LOADED[module][0]
    file = getattr(sys.modules.get(module), "__file__", None)
    return file if file and str(Path(file).parent) in _FOLDERS else ""


@dataclass(frozen=True)
class Place:
    """Where a class, a function or a module's variable is found, by any process.

    Attributes
    ----------
    module : str
    name : str
        In the module, with dots.
    file : str
        The module's file, where it is no part of a package.
    """

    module: str
    name: str
    file: str = ""

    @classmethod
    def in_module(cls, module: str, name: str) -> Place:
        """The place of a name in a module."""
        return cls(module, name, _file_of(module))

    @classmethod
    def of(cls, thing: Any) -> Place:
        """The place of a class or function.

        Raises
        ------
        PicklingError
            If another process could not find it there.
        """
        place = cls.in_module(thing.__module__, thing.__qualname__)
        if "<" in place.name:
            raise PicklingError(
                f"{place.name} is made inside a function, where no other process finds it: define "
                "it at the top level of a module, or of a file that is named file.py:Class"
            )
        try:
            found = place.find()
        except (ImportError, AttributeError):
            found = None
        if found is not thing:
            raise PicklingError(f"{place} is no longer the {thing.__qualname__} that is to be sent")
        return place

    def find(self) -> Any:
        """What is there.

        Raises
        ------
        FileTrouble, ImportError, AttributeError
            If there is nothing.
        """
        if self.module in sys.modules:
            module = sys.modules[self.module]
        else:
            module = load_file(self.file) if self.file else import_module(self.module)
        return reduce(getattr, self.name.split("."), module)

    def __str__(self) -> str:
        return f"{self.file or self.module}:{self.name}"
