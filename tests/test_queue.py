"""The queue that spikes wait in, beside a list."""

import random

import pytest
from amaranth import Shape
from amaranth.sim import Simulator

from scneuro.hdl.queue import Queue


def driven(queue, clocks, seed, lag, takes):
    """What comes out of a queue that is written as it has room, or had; and if it ever had none."""
    rng, put, got, full = random.Random(seed), [], [], False

    async def drive(ctx):
        nonlocal full
        rooms = [0] * lag
        for clock in range(clocks):
            rooms.append(ctx.get(queue.room))
            full |= clock > lag + 2 and not rooms[-1]
            write = bool(rooms[-1 - lag]) and rng.random() < 0.7
            word = rng.randrange(1 << 5)
            ctx.set(queue.word, word)
            ctx.set(queue.write, write)
            ready = rng.random() < takes(clock)
            ctx.set(queue.o.ready, ready)
            if ctx.get(queue.o.valid) and ready:
                got.append(ctx.get(queue.o.payload))
            if write:
                put.append(word)
            await ctx.tick()

    simulator = Simulator(queue)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    return put, got, full


@pytest.mark.parametrize(("margin", "lag"), [(2, 0), (4, 2)])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kept", [False, True])
def test_nothing_is_lost_or_turned_around_while_its_room_is_kept_to(seed, kept, margin, lag):
    queue = Queue(Shape(5), 8, margin, kept=kept)
    put, got, full = driven(queue, 600, seed, lag, lambda clock: 0.9 if clock // 40 % 2 else 0.1)
    assert full
    assert len(got) > 100
    assert put[: len(got)] == got
    assert len(put) - len(got) <= 8 + kept


@pytest.mark.parametrize("kept", [False, True])
def test_all_that_waits_comes_out_a_word_a_clock(kept):
    queue = Queue(Shape(5), 16, 2, kept=kept)
    out = []

    async def drive(ctx):
        ctx.set(queue.write, 1)
        for word in range(10):
            ctx.set(queue.word, word)
            await ctx.tick()
        ctx.set(queue.write, 0)
        ctx.set(queue.o.ready, 1)
        for _ in range(12):
            out.append(ctx.get(queue.o.payload) if ctx.get(queue.o.valid) else None)
            await ctx.tick()

    simulator = Simulator(queue)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    assert out == [*range(10), None, None]


@pytest.mark.parametrize(
    ("depth", "margin", "said"),
    [
        (12, 2, "depth must be a power of two, not 12"),
        (16, 3, "margin must be a power of two, not 3"),
        (16, 16, "margin must be less than the depth, 16, not 16"),
    ],
)
def test_a_queue_of_a_wrong_size_is_refused(depth, margin, said):
    with pytest.raises(ValueError, match=said):
        Queue(Shape(5), depth, margin)
