"""The messages of the link as the documentation has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .messages import HELD, REGISTERS, REPLY, REQUEST, Kind, Region, Status

__all__ = ["protocol"]

_KINDS = {
    Kind.READ: ("`count` words of a region, from `row` on", "the words"),
    Kind.WRITE: ("`count` words of a region, whole rows from `row` on", ""),
    Kind.FEED: ("`count` words of the steps to come", "`position`: how many of them were taken"),
    Kind.TAKE: (
        "up to `count` words of results from `row` on; those before it are freed",
        "the words; `position`: that of the next one to come",
    ),
}
_STATUSES = {
    Status.OK: "it is done",
    Status.UNKNOWN: "there is no such kind",
    Status.OUTSIDE: "there is no such region, row or count; rows before it were written",
    Status.ORDER: "another `sequence` is due; `position` is the last one's",
}
_REGIONS = {
    Region.SETTINGS: f"registers; from row {HELD} on the words of the held step",
    Region.IDENTITY: "JSON in UTF-8, two bytes a word, zeros behind it",
}
_MEMORIES = "weights, states and parameters, spikes, counts: `scneuro.link.regions`"


def protocol() -> str:
    """All tables, in Markdown."""
    return "\n".join(
        [
            *_table(("request", "bits"), _fields(REQUEST)),
            "",
            *_table(("reply", "bits"), _fields(REPLY)),
            "",
            *_table(
                ("kind", "", "carries or asks for", "its reply has"),
                ((f"{int(k)}", k.name.lower(), *_KINDS[k]) for k in Kind),
            ),
            "",
            *_table(
                ("status", "", ""), ((f"{int(s)}", s.name.lower(), _STATUSES[s]) for s in Status)
            ),
            "",
            *_table(
                ("region", "", ""),
                [
                    *((f"{int(r)}", r.name.lower(), _REGIONS[r]) for r in Region),
                    ("8 and on", "memories", _MEMORIES),
                ],
            ),
            "",
            *_table(
                ("register", "row", "bits", ""),
                ((r.name, f"{r.row}", f"{r.bits}", r.says) for r in REGISTERS.values()),
            ),
        ]
    )


def _fields(layout: Mapping[str, int]) -> Iterable[tuple[str, ...]]:
    return ((name, str(bits)) for name, bits in layout.items())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [_row(head), "|---" * len(head) + "|", *map(_row, rows)]


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
