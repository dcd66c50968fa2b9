"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import FileTrouble

__all__ = [
    "cache_folder",
    "cannot_write",
    "cannot_write_cache",
    "check_writable",
    "writable_cache",
    "writable_folder",
    "write_all",
    "write_whole",
]

_WAY_OUT = {
    errno.ENOSPC: "free some space",
    errno.EISDIR: "name a file, not a folder",
    errno.EEXIST: "name a folder, not a file",
}


def cannot_write(path: Path, error: OSError) -> FileTrouble:
    """The error to raise when the system refuses a write."""
    hint = _WAY_OUT.get(error.errno or 0, "choose another place")
    return FileTrouble(f"cannot write {path}: {error.strerror or error}", hint)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, or as it was before.

    Raises
    ------
    FileTrouble
        If it cannot be written.
    """
    temporary: Path | None = None
    path = Path(os.path.realpath(path))
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe or a device
            path.write_bytes(content)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise cannot_write(path, error) from None
        raise


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files to a folder so that all are there whole, or the folder is as it was before.

    Raises
    ------
    FileTrouble
        If one cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as made:
            for name, content in files.items():
                (Path(made) / name).write_bytes(content)
                if (folder / name).is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
            for name in files:
                (Path(made) / name).replace(folder / name)
    except OSError as error:
        raise cannot_write(folder, error) from None


def check_writable(path: Path | str) -> None:
    """Fail before the work, not after it, where a file could not be written.

    Nothing is made: not even the folder that is missing.

    Raises
    ------
    FileTrouble
        Its folder is no folder, or closed; or it is a folder itself.
    """
    path = Path(os.path.realpath(path))
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    number = 0
    if path.is_dir():
        number = errno.EISDIR
    elif not folder.is_dir():
        number = errno.ENOTDIR
    elif not os.access(folder, os.W_OK | os.X_OK):
        number = errno.EACCES
    if number:
        raise cannot_write(path, OSError(number, os.strerror(number)))


def writable_folder(folder: Path | str) -> Path:
    """A folder to write to, made where it is missing: it fails before minutes of work, not after.

    Raises
    ------
    FileTrouble
        If nothing can be written there.
    """
    return _writable(Path(folder), cannot_write)


def _writable(folder: Path, refusal: Callable[[Path, OSError], FileTrouble]) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise refusal(folder, error) from None
    return folder


def cannot_write_cache(folder: Path, error: OSError) -> FileTrouble:
    """The error to raise when the system refuses a write to a cache."""
    return FileTrouble(
        f"cannot write the cache {folder}: {error.strerror or error}",
        _WAY_OUT.get(error.errno or 0, "name another place with SCNEURO_CACHE=folder"),
    )


def cache_folder(kind: str) -> Path:
    """Where what takes long to make is kept: $SCNEURO_CACHE, or ``kind`` in the user's cache."""
    if chosen := os.environ.get("SCNEURO_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scneuro" / kind


def writable_cache(kind: str) -> Path:
    """The same, for work that would be lost without it: it fails before the work.

    Raises
    ------
    FileTrouble
        If nothing can be written there.
    """
    return _writable(cache_folder(kind), cannot_write_cache)
