"""What the link's processor does first where the weights are in a flash: it writes them."""

from ...link.image import DAMAGED, DIFFERS, LOADED, OFFSET, Image
from .processor import Action, Flag, Program

__all__ = ["load_weights"]

_RELEASE, _READ = 0xAB, 0x03  # from power-down; the bytes from an address on
#: Pauses of a byte, 34 clocks and more each, until a flash is awake: 43 microseconds at 50 MHz.
_PAUSES = 64


def load_weights(p: Program, image: Image, header: int, widest: int) -> None:
    """Read an image from the flash once, and write its rows, unless its header is another.

    Whatever comes of it, the register ``flash`` says it; weights that were damaged are not
    ``loaded``. Then the program goes on.

    Parameters
    ----------
    p : Program
    image : Image
    header : int
        Where the words lie that its header is to have.
    widest : int
        Words of the widest row that there is, of any memory.
    """
    words, rows = len(image.rows) // 2 // image.count, image.count
    last = header + len(image.header) // 2 - 1
    p.label("start")
    p.load("loaded")  # a reset does not undo that
    p.unless(Flag.ZERO, "main")
    _give(p, _RELEASE)
    p.load(_PAUSES)
    p.label("asleep")
    p.wait(Flag.EXCHANGED)
    p.sub(1)
    p.unless(Flag.ZERO, "asleep")
    _give(p, _READ, *OFFSET.to_bytes(3, "big"))
    p.act(Action.ANEW)

    p.load(header)
    p.label("header")
    p.store_and_point("end")
    _word(p)
    p.sub_there()
    p.unless(Flag.ZERO, "differs")
    p.load("end")
    p.sub(last)
    p.where(Flag.ZERO, "load row")
    p.add(last + 1)
    p.jump("header")

    p.label("load row")
    p.store_and_point("row")
    p.load(words)
    p.label("load word")
    p.store("part")
    _word(p)
    p.act(Action.PUSH)
    p.load("part")
    p.sub(1)
    p.unless(Flag.ZERO, "load word")
    for _ in range(widest - words):  # the first word is to be the lowest one
        p.act(Action.PUSH)
    p.wait(Flag.REACHED, writes=True)  # the accumulator is 0: the first memory
    p.load("row")
    p.sub(rows - 1)
    p.where(Flag.ZERO, "check")
    p.add(rows & 0xFFFF)
    p.jump("load row")

    p.label("check")
    for _ in range(4):
        _exchange(p)
    p.load(DAMAGED)
    p.unless(Flag.SOUND, "was read")
    p.load(LOADED)
    p.store("loaded")
    p.jump("was read")
    p.label("differs")
    p.load("end")
    p.sub(header - DIFFERS)
    p.label("was read")
    p.store("flash")
    p.wait(Flag.EXCHANGED)  # a pause: it is not selected any more


def _exchange(p: Program) -> None:
    """Send the high byte to the flash, and receive one."""
    p.wait(Flag.EXCHANGED, writes=True)


def _give(p: Program, *given: int) -> None:
    """Send bytes to the flash."""
    before = None
    for byte in given:
        if byte != before:
            p.load(byte << 8)
        _exchange(p)
        before = byte


def _word(p: Program) -> None:
    """The next word of the flash."""
    for _ in range(2):
        _exchange(p)
        p.shift(came=True)
