"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from ..errors import FileTrouble

__all__ = ["cache_folder", "cannot_write", "write_whole"]

_WAY_OUT = {errno.ENOSPC: "free some space", errno.EISDIR: "name a file, not a folder"}


def cannot_write(path: Path, error: OSError) -> FileTrouble:
    """The error to raise when the system refuses a write."""
    hint = _WAY_OUT.get(error.errno or 0, "choose another place with -o")
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


def cache_folder(kind: str) -> Path:
    """Where what takes long to make is kept: $SCNEURO_CACHE, or ``kind`` in the user's cache."""
    if chosen := os.environ.get("SCNEURO_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scneuro" / kind
