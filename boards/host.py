"""The host's side of the link: samples from a board's serial port, or from any file of bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ScneuroError
from ..hdl.link.samples import FrameReader, Sample
from ..hdl.top import BAUD

__all__ = ["read_samples"]


def read_samples(
    port: str | os.PathLike[str],
    *,
    baud: int = BAUD,
    count: int | None = None,
    timeout: float = 2.0,
) -> Iterator[Sample]:
    """Samples as a board sends them.

    Parameters
    ----------
    port : str
        A serial port, a pyserial URL (``socket://...``), or a file of recorded bytes.
    baud : int
    count : int, optional
        Stop after so many.
    timeout : float
        Seconds without a byte after which a live port counts as silent.

    Raises
    ------
    ScneuroError
        If the port cannot be opened, falls silent or breaks, or if bytes come but no frames.
    """
    reader = FrameReader()
    found = 0
    for received in _chunks(port, baud, timeout):
        for sample in reader.feed(received):
            yield sample
            found += 1
            if found == count:
                return
        if not found and reader.bad > 4096:
            raise ScneuroError(
                f"{port}: bytes arrive, but no valid frame in {reader.bad}",
                f"is the board running a scneuro design, at {baud:,} baud?",
            )
    if count is not None and found < count:
        raise ScneuroError(f"{port}: it ended after {found} samples of {count}")


def _chunks(port: str | os.PathLike[str], baud: int, timeout: float) -> Iterator[bytes]:
    if Path(port).is_file():
        with open(port, "rb") as file:
            while block := file.read(4096):
                yield block
        return
    try:
        import serial
    except ImportError:
        raise ScneuroError(
            "reading a serial port needs pyserial", 'pip install "scneuro[board]"'
        ) from None
    try:
        with serial.serial_for_url(os.fspath(port), baudrate=baud, timeout=timeout) as line:
            while True:
                received: Any = line.read(max(1, line.in_waiting))
                if not received:
                    raise ScneuroError(
                        f"{port}: silent for {timeout:g} s", "is the board on, and programmed?"
                    )
                yield bytes(received)
    except serial.SerialException as error:
        raise ScneuroError(f"{port}: {error}", "check the cable and the name of the port") from None
