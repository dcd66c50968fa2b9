"""What the link's processor does: requests, steps and their results."""

from collections.abc import Sequence

from ...link.image import Image, in_words
from ...link.messages import (
    FIRST_MEMORY,
    HELD,
    IDENTITY_WORDS,
    MOST_WORDS,
    NO_END,
    REGISTERS,
    REQUEST,
    Kind,
    Region,
    Status,
)
from ...link.regions import Region as Rows
from .layout import DIRECT, Layout
from .loading import load_weights
from .processor import Action, Flag, Program

__all__ = ["link_program"]

_BYTE = 0x100  # a byte lies in the high half of its word, as it came: this is 1
_LEAST = (sum(REQUEST.values()) // 8 + 2 + 1) * _BYTE  # what the shortest request says of itself

# What came as a byte is in the high half of its word.
_VARIABLES = (
    # the request
    *("length", "kind", "region", "sequence", "count", "row"),
    "waits",  # for a step to end, before it is done (bit 0), or in the midst of it (bit 1)
    "status",
    "position",  # what the reply says
    "last",  # the sequence that was taken last
    "accepted",  # words that were fed
    "end",  # the last row of the region
    "words",  # of a row
    "part",  # words to go of a row
    "behind",  # results from a row on
    # steps
    "going",  # words to go that leave the step under way; or of which one is made
    "from",
    "was_late",
    *("fed_in", "fed_out", "fed_now"),  # where, where from, and how many words wait
    "made",  # position of the next result
)


def link_program(
    regions: Sequence[Rows],
    frame_words: int,
    output_words: int,
    identity: bytes,
    image: Image | None = None,
) -> tuple[list[int], list[int]]:
    """The program, and what the words of its memory are at first.

    Parameters
    ----------
    regions : sequence of Region
        The network's memories.
    frame_words, output_words : int
        Of a step, which may leave none.
    identity : bytes
    image : Image, optional
        Of the weights, where a flash brings them first.
    """
    if len(identity) > 2 * IDENTITY_WORDS:
        raise ValueError(f"an identity has at most {2 * IDENTITY_WORDS} bytes")
    layout = Layout.of(len(regions), frame_words, output_words)
    words = dict.fromkeys(_VARIABLES, 0) | dict.fromkeys(("fed_in", "fed_out"), layout.fed.start)
    p = Program(words, {n: layout.settings.start + r.row for n, r in REGISTERS.items()})
    widest = max((r.words for r in regions), default=1)
    if image is not None:
        load_weights(p, image, layout.fed.start, widest)
    _steps(p, layout, frame_words, output_words)
    _request(p, layout, FIRST_MEMORY + len(regions))
    _rows(p, layout, widest)
    _feed(p, layout)
    _take(p, layout)
    _reply(p)
    assert len(p.memory) <= DIRECT
    memory = p.memory + [0] * (layout.words - len(p.memory))
    for k, word in zip(layout.tables, _tables(len(layout.settings), regions), strict=True):
        memory[k] = word
    whole = identity.ljust(2 * IDENTITY_WORDS, b"\0")
    for k, place in enumerate(layout.identity):
        memory[place] = int.from_bytes(whole[2 * k : 2 * k + 2], "little")
    if image is not None:  # what its header is to be lies where words will be that are fed
        for place, word in zip(layout.fed, in_words(image.header), strict=False):
            memory[place] = word
    return p.linked(), memory


def _tables(settings: int, regions: Sequence[Rows]) -> list[int]:
    """By region: its last row; the words of a row, 0 if it is not there; and if it is written."""
    own = [(1, 0, False)] * FIRST_MEMORY
    own[Region.SETTINGS] = (settings, 1, True)
    own[Region.IDENTITY] = (IDENTITY_WORDS, 1, False)
    rows = own + [(r.rows, r.words, r.writable) for r in regions]
    return [r[0] - 1 for r in rows] + [r[1] for r in rows] + [r[1] * r[2] for r in rows]


# -- steps -----------------------------------------------------------------------------------------
def _steps(p: Program, layout: Layout, frame_words: int, output_words: int) -> None:
    """A step after the other, and requests between their words."""
    kept = len(layout.results)
    p.label("main")
    p.where(Flag.ASKED, "request")
    p.label("step")
    p.load("going")
    p.where(Flag.ZERO, "idle")
    if output_words:
        p.unless(Flag.LEAVES, "main")

        # a word leaves: keep it
        p.load("made")
        _place(p, layout)
        p.leaves()
        p.store_there()
        p.where(Flag.ZERO, "dark")
        p.act(Action.FIRED)
        p.label("dark")
        p.load("made")
        _next(p, "made", 2 * kept)
    else:
        p.where(Flag.BUSY, "main")
    _less(p, "going")
    p.unless(Flag.ZERO, "main")

    # the step is over: count
    p.load(1)
    _count(p, "steps")
    p.load("was_late")
    _count(p, "late")
    p.beyond()
    _count(p, "saturated")
    p.jump("main")

    # what is the next one made of?
    p.label("idle")
    p.load("control")
    p.unless(Flag.BIT1, "any time")
    p.unless(Flag.DUE, "main")
    p.label("any time")
    p.unless(Flag.BIT0, "of fed ones")
    p.load("left")
    p.where(Flag.ZERO, "calm")
    p.load(layout.settings.start + HELD)
    p.jump("room")
    p.label("of fed ones")
    p.load("fed_now")
    p.sub(frame_words)
    p.unless(Flag.CARRY, "calm")
    p.load("fed_out")
    p.label("room")
    p.act(Action.WAITS)
    p.store("from")
    p.load("made")
    p.sub("taken")
    p.where(Flag.CARRY, "ahead")
    p.add(2 * kept)
    p.label("ahead")
    p.sub(kept - output_words + 1)
    p.where(Flag.CARRY, "main")

    # its words
    p.load(frame_words)
    p.store("going")
    p.label("give")
    p.load("from")
    p.point()
    p.load_there()
    p.wait(Flag.GIVEN)
    p.load("from")
    _next(p, "from", layout.fed.stop, layout.fed.start)
    _less(p, "going")
    p.unless(Flag.ZERO, "give")
    p.load("control")
    p.unless(Flag.BIT0, "were fed")
    p.load("left")
    p.sub(NO_END)
    p.where(Flag.ZERO, "begin")
    p.sub(2)  # so it is one less than it was
    p.store("left")
    p.jump("begin")
    p.label("were fed")
    p.load("from")
    p.store("fed_out")
    p.load("fed_now")
    p.sub(frame_words)
    p.store("fed_now")

    # it begins
    p.label("begin")
    p.load("control")
    p.unless(Flag.BIT1, "in time")
    p.unless(Flag.MISSED, "in time")
    p.act(Action.LATE)
    p.load(1)
    p.jump("begun")
    p.label("in time")
    p.load(0)
    p.label("begun")
    p.store("was_late")
    p.act(Action.BEGUN)
    p.wait(Flag.BUSY)
    p.load(max(1, output_words))  # where none leaves, one is until it is over
    p.store("going")
    p.jump("main")

    p.label("calm")  # there is nothing to do: nothing is late
    p.act(Action.CALM)
    p.jump("main")


def _place(p: Program, layout: Layout) -> None:
    """Point to the result of a position."""
    label = f"place {len(p.code)}"
    p.sub(len(layout.results))
    p.where(Flag.CARRY, label)
    p.add(len(layout.results))
    p.label(label)
    p.add(layout.results.start)
    p.point()


def _next(p: Program, name: str, end: int, begin: int = 0) -> None:
    """Go on to the next place: at the end, to the first one."""
    label = f"next {len(p.code)}"
    p.add(1)
    p.store(name)
    p.sub(end)
    p.unless(Flag.ZERO, label)
    if begin:
        p.load(begin)
    p.store(name)
    p.label(label)


def _count(p: Program, name: str) -> None:
    """Add to a register of two words."""
    label = f"count {name}"
    p.add(name)
    p.store(name)
    p.unless(Flag.CARRY, label)
    p.load(1)
    p.add(f"{name} above")
    p.store(f"{name} above")
    p.label(label)


# -- requests --------------------------------------------------------------------------------------
def _request(p: Program, layout: Layout, regions: int) -> None:
    """Look what is asked for, and whether that can be."""
    kept = len(layout.results)
    p.label("request")
    p.load("waits")
    p.where(Flag.BIT0, "reach")
    p.where(Flag.BIT1, "go on")
    for name in ("length", "kind", "region", "sequence", "count"):
        p.load(0)
        p.shift(body=True)
        if name == "region":
            p.shift()
        p.store(name)
    _body_word(p)
    p.store("row")
    p.load(0)
    p.store("status")
    p.load("accepted")
    p.store("position")

    p.load("kind")
    p.where(Flag.ZERO, "unknown")
    p.sub((max(Kind) + 1) * _BYTE)
    p.where(Flag.CARRY, "unknown")
    p.load(MOST_WORDS * _BYTE)
    p.sub("count")
    p.unless(Flag.CARRY, "outside")
    _is(p, Kind.TAKE, "a take")
    p.add((Kind.TAKE - Kind.READ) * _BYTE)
    p.where(Flag.ZERO, "a read")

    p.load("count")
    p.add("count")
    p.add(_LEAST)
    p.sub("length")
    p.where(Flag.ZERO, "order")
    p.jump("outside")

    p.label("a read")
    p.load(_LEAST)
    p.sub("length")
    p.where(Flag.ZERO, "reach")
    p.jump("outside")

    p.label("a take")
    p.load("made")
    p.store("position")
    p.load(_LEAST)
    p.sub("length")
    p.unless(Flag.ZERO, "outside")
    p.load("row")
    p.sub(2 * kept)
    p.where(Flag.CARRY, "outside")
    p.load("made")
    p.sub("row")
    p.where(Flag.CARRY, "is behind")
    p.add(2 * kept)
    p.label("is behind")
    p.store("behind")
    p.sub(kept + 1)
    p.where(Flag.CARRY, "outside")

    p.label("order")
    p.load("sequence")
    p.sub("last")
    p.where(Flag.ZERO, "again")
    p.sub(_BYTE)
    p.where(Flag.ZERO, "due")
    p.load("last")
    p.shift()
    p.store("position")
    p.load(Status.ORDER * 16 * _BYTE)
    p.jump("say")
    p.label("again")
    _is(p, Kind.TAKE, "take")
    p.load(0)
    p.jump("say")
    p.label("due")
    _is(p, Kind.FEED, "feed")
    p.where(Flag.CARRY, "take")

    p.label("reach")  # rows: when no step is under way
    p.load(1)
    p.store("waits")
    p.load("going")
    p.unless(Flag.ZERO, "step")
    p.load("region")
    p.sub(regions)
    p.where(Flag.CARRY, "outside")
    _of_region(p, layout.tables.start)
    p.store("end")
    _is(p, Kind.READ, "is read")
    _of_region(p, layout.tables.start + 2 * regions)
    p.where(Flag.ZERO, "outside")
    p.store("words")
    p.jump("fill")
    p.label("is read")
    _of_region(p, layout.tables.start + regions)
    p.where(Flag.ZERO, "outside")
    p.store("words")
    p.load(0)
    p.jump("say")

    p.label("go on")  # with one that made way for a step
    _is(p, Kind.FEED, "feed on")
    p.where(Flag.CARRY, "say results")
    p.load("going")
    p.unless(Flag.ZERO, "step")
    _is(p, Kind.READ, "read")
    p.jump("fill")

    p.label("unknown")  # what is said of a kind has four bits
    p.load("kind")
    p.label("less")
    p.sub(16 * _BYTE)
    p.where(Flag.CARRY, "less")
    p.add(16 * _BYTE)
    p.store("kind")
    p.load(Status.UNKNOWN * 16 * _BYTE)
    p.jump("say")


def _is(p: Program, kind: Kind, label: str) -> None:
    """Go on elsewhere with a request of a kind."""
    p.load("kind")
    p.sub(kind * _BYTE)
    p.where(Flag.ZERO, label)


def _of_region(p: Program, table: int) -> None:
    """What a table has of the region."""
    p.load("region")
    p.add(table)
    p.point()
    p.load_there()


# -- rows ------------------------------------------------------------------------------------------
def _rows(p: Program, layout: Layout, widest: int) -> None:
    """Read and write rows."""
    p.label("read")
    p.load("count")
    p.where(Flag.ZERO, "send")
    p.load("end")
    p.sub("row")
    p.unless(Flag.CARRY, "outside")
    p.load("words")
    p.store("part")
    p.load("region")
    p.where(Flag.ZERO, "of settings")
    p.sub(FIRST_MEMORY)
    p.where(Flag.CARRY, "of a memory")
    p.load(layout.identity.start - layout.settings.start)
    p.label("of settings")
    p.add(layout.settings.start)
    p.add("row")
    p.point()
    p.load_there()
    p.jump("say word")
    p.label("of a memory")
    _reach(p)
    p.label("read word")
    p.row()
    p.label("say word")
    _put_word(p)
    _less(p, "count", _BYTE)
    p.where(Flag.ZERO, "send")
    _less(p, "part")
    p.unless(Flag.ZERO, "read word")
    p.load("row")
    p.add(1)
    p.store("row")
    p.where(Flag.CARRY, "outside")
    p.unless(Flag.DUE, "read")
    p.load("region")
    p.unless(Flag.ZERO, "pause")
    p.jump("read")

    p.label("fill")
    p.load("count")
    p.where(Flag.ZERO, "say")
    p.load("end")
    p.sub("row")
    p.unless(Flag.CARRY, "outside")
    p.load("region")
    p.where(Flag.ZERO, "set")
    p.load("words")
    p.store("part")
    p.label("fill word")
    p.load("count")
    p.where(Flag.ZERO, "outside")
    _body_word(p)
    p.act(Action.PUSH)
    _less(p, "count", _BYTE)
    _less(p, "part")
    p.unless(Flag.ZERO, "fill word")
    p.load(widest)  # the first word is to be the lowest one
    p.sub("words")
    p.label("shift down")
    p.where(Flag.ZERO, "filled")
    p.act(Action.PUSH)
    p.sub(1)
    p.jump("shift down")
    p.label("filled")
    _reach(p, writes=True)
    p.label("filled next")
    p.load("row")
    p.add(1)
    p.store("row")
    p.where(Flag.CARRY, "filled all")
    p.unless(Flag.DUE, "fill")
    p.load("region")  # no step comes between settings
    p.where(Flag.ZERO, "fill")

    p.label("pause")  # a step comes first
    p.load(2)
    p.store("waits")
    p.jump("step")

    p.label("filled all")
    p.load("count")
    p.where(Flag.ZERO, "say")
    p.jump("outside")

    p.label("set")
    _less(p, "count", _BYTE)
    p.load("row")
    p.add(layout.settings.start)
    p.point()
    _body_word(p)
    p.store_there()
    p.load("row")
    p.sub(REGISTERS["restart"].row)
    p.unless(Flag.ZERO, "filled next")
    p.load("restart")
    p.unless(Flag.BIT0, "filled next")
    p.act(Action.RESTART)
    p.load(0)  # no step is made of what came before
    p.store("fed_now")
    p.load("fed_in")
    p.store("fed_out")
    p.jump("filled next")


def _reach(p: Program, *, writes: bool = False) -> None:
    """The row of a memory."""
    p.load("row")
    p.point()
    p.load("region")
    p.sub(FIRST_MEMORY)
    p.wait(Flag.REACHED, writes=writes)


def _less(p: Program, name: str, by: int = 1) -> None:
    """Count down; what is left is in the accumulator."""
    p.load(name)
    p.sub(by)
    p.store(name)


# -- words of steps --------------------------------------------------------------------------------
def _feed(p: Program, layout: Layout) -> None:
    """Words of steps to come, as many as there is room for."""
    p.label("feed")
    p.load(len(layout.fed))
    p.sub("fed_now")
    p.store("accepted", "part")
    p.load("count")
    p.shift()
    p.sub("accepted")
    p.where(Flag.CARRY, "feed on")
    p.add("accepted")
    p.store("accepted", "part")
    p.label("feed on")
    p.load("part")
    p.label("feed word")
    p.where(Flag.ZERO, "fed")
    p.load("fed_in")
    p.point()
    _body_word(p)
    p.store_there()
    p.load("fed_in")
    _next(p, "fed_in", layout.fed.stop, layout.fed.start)
    _less(p, "part")
    p.where(Flag.LEAVES, "pause")
    p.unless(Flag.DUE, "feed word")
    p.jump("pause")
    p.label("fed")
    p.load("fed_now")
    p.add("accepted")
    p.store("fed_now")
    p.load("accepted")
    p.store("position")
    p.load(0)
    p.jump("say")


def _take(p: Program, layout: Layout) -> None:
    """Results from a position on."""
    p.label("take")
    p.load("row")
    p.store("taken")
    p.load(0)
    p.jump("say")

    p.label("say results")
    p.load("count")
    p.where(Flag.ZERO, "send")
    p.load("behind")
    p.where(Flag.ZERO, "send")
    p.sub(1)
    p.store("behind")
    _less(p, "count", _BYTE)
    p.load("row")
    _place(p, layout)
    p.load("row")
    _next(p, "row", 2 * len(layout.results))
    p.load_there()
    _put_word(p)
    p.where(Flag.LEAVES, "pause")
    p.unless(Flag.DUE, "say results")
    p.jump("pause")


# -- replies ---------------------------------------------------------------------------------------
def _reply(p: Program) -> None:
    """What became of a request."""
    p.label("outside")
    p.load(Status.OUTSIDE * 16 * _BYTE)
    p.label("say")  # with the status in the high half
    p.store("status")
    p.act(Action.BEGIN)
    p.load(0)
    p.act(Action.PUT)  # where the first code will be
    p.load("kind")
    p.add("status")
    p.shift()
    p.act(Action.PUT)
    p.load("sequence")
    p.shift()
    p.act(Action.PUT)
    p.load("position")
    _put_word(p)
    p.load("status")
    p.unless(Flag.ZERO, "send")
    _is(p, Kind.READ, "read")
    p.load("sequence")
    p.store("last")
    _is(p, Kind.TAKE, "say results")
    p.label("send")
    p.act(Action.SEND)
    p.load(0)
    p.store("waits")
    p.jump("main")


def _body_word(p: Program) -> None:
    """The next word of the request."""
    p.shift(body=True)
    p.shift(body=True)


def _put_word(p: Program) -> None:
    p.act(Action.PUT)
    p.shift()
    p.act(Action.PUT)
