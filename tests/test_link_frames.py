"""The frames of the link: what the gates take and send, against the library's stuffing."""

import binascii
import random
from collections.abc import Sequence
from typing import Any

import pytest
from amaranth.sim import Simulator
from checks import few
from cobs import cobs

from scneuro.hdl.link.frames import Frames
from scneuro.link.messages import FRAME_BYTES


def framed(body: bytes) -> bytes:
    whole = body + binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "big")
    return b"\0" + cobs.encode(whole) + b"\0"


def exchange(lines: Sequence[bytes]) -> list[tuple[bytes, bytes] | None]:
    """By line: what was taken for a request, and the bytes that answer the same; or None."""
    frames = Frames()
    found: list[tuple[bytes, bytes] | None] = []

    async def bench(ctx: Any) -> None:
        ctx.set(frames.o.ready, 1)
        for line in lines:
            for byte in line:
                ctx.set(frames.i.payload, byte)
                ctx.set(frames.i.valid, 1)
                await ctx.tick()
                ctx.set(frames.i.valid, 0)
                await ctx.tick().repeat(12)
            if not ctx.get(frames.asked):
                found.append(None)
                continue

            async def byte() -> int:
                found: int = ctx.get(frames.body)
                ctx.set(frames.next, 1)
                await ctx.tick()
                ctx.set(frames.next, 0)
                await ctx.tick()
                return found

            await ctx.tick()
            length = await byte() - 1
            request = bytes([await byte() for _ in range(length)])[:-2]
            for again in (b"\1\0\2", b"", request):  # begun again, it is forgotten
                ctx.set(frames.begin, 1)
                await ctx.tick()
                ctx.set(frames.begin, 0)
                for put in b"\0" + again:
                    ctx.set(frames.reply, put)
                    ctx.set(frames.put, 1)
                    await ctx.tick()
                    ctx.set(frames.put, 0)
                    await ctx.tick()
            ctx.set(frames.send, 1)
            await ctx.tick()
            ctx.set(frames.send, 0)
            assert not ctx.get(frames.asked)
            sent = bytearray()
            while not sent or sent[-1]:
                ctx.set(frames.o.ready, random.random() < 0.5)
                if ctx.get(frames.o.valid) and ctx.get(frames.o.ready):
                    sent.append(ctx.get(frames.o.payload))
                await ctx.tick()
                assert len(sent) < 300
            await ctx.tick().repeat(2)
            found.append((request, bytes(sent)))

    simulator = Simulator(frames)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def bodies(seed: int, count: int) -> list[bytes]:
    draw = random.Random(seed)
    sizes = [6, 7, 8, FRAME_BYTES - 3, FRAME_BYTES - 2]
    some = [draw.choice([*sizes, draw.randint(6, FRAME_BYTES - 2)]) for _ in range(count)]
    # the first byte is a kind: a check that begins with two bytes of 255 sees no zeros behind them
    rest = [bytes(draw.choice([0, 0, 1, 255, draw.randrange(256)]) for _ in range(n)) for n in some]
    return [bytes([draw.randint(1, 4)]) + body[1:] for body in rest]


@pytest.mark.parametrize("seed", few(range(3), lambda seed: seed == 0))
def test_a_frame_is_taken_and_sent_as_it_is(seed: int) -> None:
    given = [*bodies(seed, 5), bytes(FRAME_BYTES - 2), b"\xff" * (FRAME_BYTES - 2)]
    for body, found in zip(given, exchange([framed(b) for b in given]), strict=True):
        assert found == (body, framed(body)[1:])


@pytest.mark.parametrize("seed", few(range(3), lambda seed: seed == 0))
def test_a_damaged_frame_is_refused_and_the_next_one_taken(seed: int) -> None:
    draw, lines, whole = random.Random(seed), [], bodies(seed, 5)
    for body in whole:
        line = bytearray(framed(body))
        at = draw.randrange(1, len(line) - 1)
        damage = draw.randrange(4)
        if damage == 0:
            line[at] ^= 1 << draw.randrange(8)
        elif damage == 1:
            del line[at]
        elif damage == 2:
            line.insert(at, draw.randrange(1, 256))
        else:
            del line[at:]
        lines += [bytes(line), framed(body)]
    found = exchange(lines)
    assert found[::2] == [None] * len(whole)
    assert [f and f[0] for f in found[1::2]] == whole


def test_what_is_too_long_or_too_short_is_refused() -> None:
    lines = [framed(bytes([1]) * n) for n in (0, 1, 5, 254, 400, 600)]
    body = bytes(range(6))
    assert exchange([*lines, framed(body)]) == [None] * len(lines) + [(body, framed(body)[1:])]
