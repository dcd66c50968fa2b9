"""Compiled runs: numba makes machine code of a source, and the user's cache folder keeps it."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import FileTrouble, ToolError
from ..tools.files import cache_folder
from ..tools.toolchain import announced, say
from .emit import Body, source

__all__ = ["compiled", "is_at_hand", "is_installed"]

_SOURCE = "run.py"
_SEAL = "seal"
_WITHOUT = 'engine="numpy" gives the same integers'
_LOADED: dict[str, Callable[..., None]] = {}


@cache
def is_installed() -> bool:
    """Whether there is numba; it is not imported."""
    return find_spec("numba") is not None


def is_at_hand(body: Body, *, many: bool) -> bool:
    """Whether a run is compiled already, in this process or in the cache."""
    if not is_installed():
        return False
    digest = _digest(source(body, many=many))
    folder = _folder(digest)
    return digest in _LOADED or (folder is not None and (folder / _SEAL).exists())


def compiled(body: Body, *, many: bool) -> Callable[..., None]:
    """The function of :func:`~scneuro.engine.emit.source`, as machine code that frees the GIL.

    It takes a second or so the first time, and a few hundredths once it is in the cache, which is
    keyed by the source, by numba's version and by the processor.

    Raises
    ------
    ToolError
        If there is no numba.
    """
    if not is_installed():
        raise ToolError(
            "a compiled run needs numba, which is not installed",
            f'pip install "scneuro[fast]" has it; {_WITHOUT}',
        )
    text = source(body, many=many)
    digest = _digest(text)
    if digest not in _LOADED:
        folder = _folder(digest)
        function = None
        if folder is not None and folder.exists():
            function = _load(folder, body) if _is_whole(folder) else None
            if function is None:
                say(f"  {folder} is damaged: the run is compiled again")
                shutil.rmtree(folder, ignore_errors=True)
        _LOADED[digest] = function or _make(folder, text, body)
    return _LOADED[digest]


@cache
def _toolchain() -> str:
    """What makes the machine code, and for which processor."""
    from importlib.metadata import version

    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features().flatten()
    parts = version("numba"), version("llvmlite"), llvm.get_host_cpu_name(), features
    return " ".join((sys.version, *parts))


@lru_cache(maxsize=256)
def _digest(text: str) -> str:
    return hashlib.sha256(f"{_toolchain()}\0{text}".encode()).hexdigest()[:32]


def _folder(digest: str) -> Path | None:
    """Where a function is kept; None where nothing can be written."""
    try:
        return cache_folder("runs") / digest
    except FileTrouble:
        return None


def _make(folder: Path | None, text: str, body: Body) -> Callable[..., None]:
    """Compile into the cache; where that cannot be written, for this process only."""
    with announced("  compiling the run, once", wanted=sys.stderr.isatty()):
        if folder is not None:
            try:
                return _make_in(folder, text, body)
            except OSError:
                pass
        with tempfile.TemporaryDirectory() as name:
            place = Path(name) / _SOURCE
            place.write_text(text, encoding="utf-8")
            return _compile(place, body, keep=False)


def _make_in(folder: Path, text: str, body: Body) -> Callable[..., None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        work = Path(name) / folder.name
        work.mkdir()
        (work / _SOURCE).write_text(text, encoding="utf-8")
        function = _compile(work / _SOURCE, body, keep=True)
        (work / _SEAL).write_text(_sum(work), encoding="utf-8")
        if not folder.exists():  # another process may have been quicker
            work.rename(folder)
    return function


def _load(folder: Path, body: Body) -> Callable[..., None] | None:
    """What is in the cache; None if numba cannot read it."""
    try:
        return _compile(folder / _SOURCE, body, keep=True)
    except Exception:  # whatever a file of another making leads to
        return None


def _compile(place: Path, body: Body, *, keep: bool) -> Callable[..., None]:
    """The function of a source file, by numba, which looks for it beside the file."""
    import numba
    from numba import types

    def flat(dtype: str, *, readonly: bool = False) -> Any:
        return types.Array(getattr(types, dtype), 1, "C", readonly=readonly)

    def table(dtype: str, axes: int = 2) -> Any:
        return types.Array(getattr(types, dtype), axes, "C")

    size = types.int64
    arguments = [size, size, size, table(body.dtype), table("int64"), table("int64")]
    arguments.append(table("int64", 3))
    arguments += [flat(body.taken, readonly=True), size] * len(body.inputs)
    arguments += [flat("boolean"), size]
    for _, dtype, _ in body.traces:
        arguments += [flat(dtype), size]
    # numba imports the module of a function that it takes from its cache
    module: dict[str, Any] = {"__name__": __name__}
    exec(compile(place.read_text(encoding="utf-8"), str(place), "exec"), module)
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}
    for name in {"exp", "expm1"} & module.keys():
        module[name] = numba.njit(**options)(module[name])
    config: Any = numba.config
    elsewhere, config.CACHE_DIR = config.CACHE_DIR, ""
    try:
        function: Callable[..., None] = numba.njit(types.void(*arguments), cache=keep, **options)(
            module["run"]
        )
    except Exception as error:  # whatever numba makes of what it does not know
        lines = str(error).splitlines() or [type(error).__name__]
        raise ToolError(f"numba does not compile the run: {lines[0]}", _WITHOUT) from error
    finally:
        config.CACHE_DIR = elsewhere
    return function


def _sum(folder: Path) -> str:
    """Of everything in a folder but its seal, and what Python itself may add."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != _SEAL and path.suffix != ".pyc":
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _is_whole(folder: Path) -> bool:
    """Whether the cache holds what was put there."""
    try:
        return (folder / _SEAL).read_bytes() == _sum(folder).encode()
    except OSError:
        return False
