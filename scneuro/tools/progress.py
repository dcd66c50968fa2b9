"""A bar for what takes long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

__all__ = ["progress"]

Item = TypeVar("Item")


def progress(
    items: Iterable[Item],
    what: str,
    *,
    unit: str = "it",
    wanted: bool = True,
    scale: int = 1,
    total: int | None = None,
) -> Iterable[Item]:
    """``items``, with a bar on a terminal once they take longer than two seconds.

    Parameters
    ----------
    items : iterable
    what : str
        What the bar says of itself.
    unit : str
        What an item is called.
    wanted : bool
        Otherwise there is no bar.
    scale : int
        How many units an item is.
    total : int, optional
        How many items there are, where ``items`` does not say.
    """
    if not wanted:
        return items
    from tqdm import tqdm  # takes as long to import as all of scneuro

    bar: Iterable[Item] = tqdm(
        items,
        desc=what,
        unit=unit,
        unit_scale=scale if scale > 1 else False,
        total=total,
        delay=2,
        leave=False,
        disable=None,
    )
    return bar
