"""The instructions that a datapath becomes, and what the machine does with them.

The machine has a memory of 16-bit words, a multiplicand ``x``, an accumulator and a pointer. It
takes an instruction in every clock. An instruction that comes at clock t reads the memory in clock
t + 1, multiplies in clock t + 2, and adds up or writes in clock t + 3: what it writes is read by
what comes ``APART`` instructions later, or after that.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["APART", "AROUND", "OPERATION", "Op"]

#: Bits of an instruction that say what it does; the others are an address.
OPERATION = 4

#: Instructions from one that writes a word, or the pointer, to the first that reads it.
APART = 3

#: Clocks from an input to the first instruction, and from the last one to the result.
AROUND = 4


class Op(IntEnum):
    """What an instruction does with its address."""

    NOTHING = 0
    LOAD = 1  #: x becomes the word there
    THERE = 2  #: x becomes the word at the pointer
    POINT = 3  #: the pointer becomes the accumulator
    FIRST = 4  #: the accumulator becomes x times the word there
    MORE = 5  #: that is added to it
    NEXT = 6  #: that is added to the accumulator without its low digit
    END = 7  #: a step is done
    STORE = 8  #: the word there becomes the low digit of the accumulator: 15 bits
    LAST = 9  #: the word there becomes its low 16 bits
    SIGN = 10  #: the word there becomes 1 if the accumulator is not negative, else 0
    TAKE = 11  #: the word there becomes the input of that number
    SPIKE = 12  #: the spike flag becomes the accumulator's lowest bit
    WORD = 13  #: the word that leaves becomes the accumulator's low 16 bits
    REST = 14  #: all is as it is at the beginning
