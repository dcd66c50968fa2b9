"""What :mod:`scneuro.stochastic.streams` does with bits, as gates."""

from amaranth import Cat, Const, Module, Mux, Signal, Value

from ...stochastic.sources import Source

__all__ = ["less", "multiplexed", "popcount", "product"]


def less(source: Source, state: Value, word: Value, *, mirrored: bool) -> Value:
    """Whether the draw of a state is less than a word: the bit of a stream.

    Halves of the bits are compared side by side: a chain of carries would need an inverter a bit.
    """
    number = list(state if mirrored else state[::-1])
    number += [Const(0, 1)] * (len(word) - len(number))
    below, equal = _compared(number, list(word))
    return below | equal if source.kind == "lfsr" else below  # an LFSR has no state 0


def _compared(a: list[Value], b: list[Value]) -> tuple[Value, Value]:
    """Whether a number is less than another, and whether they are equal; lowest bit first."""
    if len(a) == 1:
        return ~a[0] & b[0], ~(a[0] ^ b[0])
    half = len(a) // 2
    low, low_equal = _compared(a[:half], b[:half])
    high, high_equal = _compared(a[half:], b[half:])
    return high | (high_equal & low), high_equal & low_equal


def product(a: Value, b: Value, *, bipolar: bool = False) -> Value:
    """The bit of a product: AND, or XNOR of bipolar streams."""
    return ~(a ^ b) if bipolar else a & b


def multiplexed(a: Value, b: Value, select: Value) -> Value:
    """The bit of a scaled sum: ``b`` where ``select`` is 1, else ``a``."""
    return Mux(select, b, a)


def popcount(m: Module, bits: list[Value], name: str) -> Value:
    """How many bits are 1: full adders, three bits of a weight to a sum and a carry."""
    columns: list[list[Value]] = [list(bits)]
    for weight, column in enumerate(columns):
        while len(column) > 1:
            taken, column[:3] = column[:3], []
            total = Signal(2, name=f"{name}_{weight}_{len(column)}")
            if len(taken) == 3:
                a, b, c = taken
                m.d.comb += total.eq(Cat(a ^ b ^ c, (a & b) | (a & c) | (b & c)))
            else:
                m.d.comb += total.eq(Cat(taken[0] ^ taken[1], taken[0] & taken[1]))
            column.append(total[0])
            if weight + 1 == len(columns):
                columns.append([])
            columns[weight + 1].append(total[1])
    return Cat(*(column[0] for column in columns))
