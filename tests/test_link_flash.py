"""Weights that a board's flash brings: what it is given, how it is read, and what goes wrong."""

import hashlib
import inspect
import json
import random
from types import SimpleNamespace

import numpy as np
import pytest
from amaranth import Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc import catalog
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from checks import faults, nightly
from test_boards import tools  # noqa: F401
from test_link_program import planted

from scneuro import LIF, Network, ScneuroError, cli
from scneuro.boards import BOARDS, build_bitstream, connect, design
from scneuro.boards.build import _prepared
from scneuro.boards.link.chip import Chip
from scneuro.boards.memory import network_form
from scneuro.cli.run import connector
from scneuro.hdl.link import flash, loading, processor, program, top
from scneuro.hdl.link.flash import BYTE, FlashLine
from scneuro.hdl.link.top import link_plan
from scneuro.hdl.network import Network as Gates
from scneuro.hdl.network.access import AccessSignature
from scneuro.hdl.top import Plan
from scneuro.link import image
from scneuro.link.image import DAMAGED, DIFFERS, LOADED, MAGIC, OFFSET, Image, image_of, said_of
from scneuro.link.messages import REGISTERS
from scneuro.link.regions import Memories, Region
from scneuro.network import Dense
from scneuro.network.plan import plan
from scneuro.sim import SimulatedPort, simulated_board
from scneuro.sim.chip.netlist import netlist_library
from scneuro.sim.engines.bench import run_bench
from scneuro.sim.live.board import SimulatedBoard
from scneuro.sim.live.flash import FlashChip, WithFlash

CLOCK = 12_000_000
draw = random.Random(11)
ROWS = bytes(draw.randrange(256) for _ in range(5 * 4))
SMALL = Image(5, ROWS)  # rows of two words
WHOLE = SMALL.to_bytes()


def wide(inputs=144, neurons=128):
    """Of weights that a UP5K's block RAM has no room for."""
    net = Network("wide")
    net.input("x", inputs)
    net.population("h", LIF(dt=1.0), neurons)
    net.connect("x", "h", Dense(np.random.default_rng(5).normal(2, 6, (neurons, inputs))))
    return net


IMPORTS = """import numpy as np
from scneuro import LIF, Network
from scneuro.network import Dense
"""


# -- what the flash is given ----------------------------------------------------------------------
def test_an_image_is_a_header_rows_and_a_check():
    digest = hashlib.sha256(ROWS).digest()[:8]
    assert WHOLE[:-4] == b"scneuro\x01" + bytes([20, 0, 0, 0]) + digest + ROWS
    check = catalog.CRC32_MPEG_2(data_width=8)
    assert WHOLE[-4:] == check.compute(WHOLE[:-4]).to_bytes(4, "big")
    assert check.compute(WHOLE) == 0
    assert image._check(b"123456789") == 0x0376E6E7


def test_its_rows_are_what_a_host_would_write():
    fixed = wide(20, 12).fixed()
    made = plan(fixed, 4)
    memories = Memories(fixed, made)
    rows = memories.of_weights(0, fixed.totals["h", "I"].synapses[0].weights)
    assert memories.number("weights") == 0
    found = image_of(made)
    assert (found.count, found.rows) == (len(rows), rows.astype("<u2").tobytes())


def test_what_came_of_it_is_said():
    said = {0: "not read", LOADED: "loaded", DAMAGED: "damaged weights"}
    said |= {DIFFERS + k: "no weights" for k in range(len(MAGIC) // 2)}
    said |= {DIFFERS + k: "other weights" for k in (4, 5, 6, 9)}
    assert {word: said_of(word) for word in said} == said


# -- a flash --------------------------------------------------------------------------------------
class Master:
    """Moves the pins of a flash by hand, in mode 0."""

    def __init__(self, ctx, chip):
        self.ctx, self.chip = ctx, chip

    async def bits(self, count, value=0):
        """Send bits, the highest one first; those that came."""
        found = 0
        for k in reversed(range(count)):
            self.ctx.set(self.chip.copi, value >> k & 1)
            await self.ctx.tick().repeat(2)
            self.ctx.set(self.chip.sck, 1)
            found = found << 1 | self.ctx.get(self.chip.cipo)
            await self.ctx.tick().repeat(2)
            self.ctx.set(self.chip.sck, 0)
        await self.ctx.tick().repeat(2)
        return found

    async def select(self, level):
        self.ctx.set(self.chip.cs, level)
        await self.ctx.tick().repeat(2)

    async def read(self, address, count):
        await self.select(1)
        await self.bits(32, 0x03 << 24 | address)
        found = [await self.bits(8) for _ in range(count)]
        await self.select(0)
        return found

    async def release(self, bits=8, value=0xAB):
        await self.select(1)
        await self.bits(bits, value)
        await self.select(0)


def handled(bench, chip):
    async def run(ctx):
        await bench(Master(ctx, chip))

    run_bench(chip, run, max_cycles=100_000)


def test_a_flash_answers_once_it_was_released_from_power_down_and_is_awake():
    chip = FlashChip(b"\x12\x34\x56", clock_hz=CLOCK, offset=0x10000)

    async def bench(master):
        at = 0x10000
        assert await master.read(at, 2) == [0xFF, 0xFF]
        await master.release(bits=7, value=0x55)  # not all of its bits
        await master.ctx.tick().repeat(1000)
        assert await master.read(at, 1) == [0xFF]
        await master.release(bits=16, value=0xAB00)
        await master.ctx.tick().repeat(1000)
        assert await master.read(at, 1) == [0xFF]
        await master.release()
        assert await master.read(at, 1) == [0xFF]  # it is not awake yet
        await master.ctx.tick().repeat(400)
        assert await master.read(at, 4) == [0x12, 0x34, 0x56, 0xFF]
        assert await master.read(at + 1, 1) == [0x34]
        assert await master.read(at - 1, 2) == [0xFF, 0x12]
        await master.select(1)
        assert await master.bits(40, 0x9F << 32) == 0xFFFFFFFFFF  # another command
        await master.select(0)

    handled(bench, chip)


# -- its line -------------------------------------------------------------------------------------
def exchanged(line=FlashLine, content=bytes(range(200, 240))):
    """Bytes that a line reads from a flash; what its pins did is looked at."""
    dut, chip, top = line(), FlashChip(content, clock_hz=CLOCK), Module()
    top.submodules.line, top.submodules.chip = dut, chip
    for name in ("cs", "sck", "copi"):
        top.d.comb += getattr(chip, name).eq(getattr(dut, name))
    top.d.comb += dut.cipo.eq(chip.cipo)
    seen, found = [], []

    async def look(ctx):
        pins = dut.cs, dut.sck, dut.copi
        while True:
            seen.append(tuple(ctx.get(pin) for pin in pins))
            await ctx.tick()

    async def bench(ctx):
        async def give(byte, select=1):
            ctx.set(dut.go, 1)
            ctx.set(dut.select, select)
            ctx.set(dut.give, byte)
            clocks = 0
            while not ctx.get(dut.done):
                clocks += 1
                await ctx.tick()
            assert clocks == BYTE
            byte = ctx.get(dut.came)
            ctx.set(dut.go, 0)
            await ctx.tick()
            return byte

        await give(0xAB)
        for _ in range(20):
            await give(0, 0)
        for byte in (0x03, *OFFSET.to_bytes(3, "big")):
            await give(byte)
        found.extend([await give(0) for _ in content])

    run_bench(top, bench, background=[look], max_cycles=10_000)
    return bytes(found), seen


def test_the_line_brings_the_bytes_of_a_flash():
    content = bytes(draw.randrange(256) for _ in range(40))
    assert exchanged(content=content)[0] == content


def test_the_line_keeps_the_times_of_a_flash():
    """Those of a W25Q128JV are some nanoseconds; these are clocks, one of them or more."""
    _, seen = exchanged()
    selected, clocks, given = (np.array(pin) for pin in zip(*seen, strict=True))
    up = np.flatnonzero(np.diff(clocks) == 1) + 1
    down = np.flatnonzero(np.diff(clocks) == -1) + 1
    assert len(up) == len(down) == 8 * (1 + 4 + 40)
    assert np.diff(up).min() >= 4
    assert (down - up).tolist() == [2] * len(up)
    assert selected[up].all()
    edges = np.flatnonzero(np.diff(selected)) + 1
    for pin, sides in ((given, (up[:40],)), (selected, (up, down))):
        changes = np.flatnonzero(np.diff(pin)) + 1
        for side in sides:  # nothing changes two clocks before it, and not until a clock after it
            assert abs(changes[:, None] - side).min() >= (2 if pin is given else 1)
    assert len(edges) == 3  # to wake it, then to read it


# -- what is read ---------------------------------------------------------------------------------
class Rows(wiring.Component):
    """In a network's place: a memory of weights that can be written, and no steps."""

    def __init__(self, count=5, words=2, widest=3):
        self.regions = (
            Region("weights", count, words, 16 * words, False, True),
            Region("p.v", 2, widest, 16 * widest, True, True),
        )
        self.plan = SimpleNamespace(frame_words=3, output_words=1)
        self.cores = {}
        super().__init__(
            {
                "access": In(AccessSignature(widest)),
                "i": In(stream.Signature(16)),
                "o": Out(stream.Signature(16)),
                "tick": In(1),
                "busy": Out(1),
                "restart_now": In(1),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        waits = Signal(2)  # it is not free at once
        with m.If(self.access.valid):
            m.d.sync += waits.eq(waits + 1)
        m.d.sync += self.access.ready.eq(self.access.valid & (waits == 3))
        return m


def read(content, *, given=SMALL, dead=None, words=2, resets=False):
    """What is written of an image, in order, and the registers ``loaded`` and ``flash``.

    ``dead`` is the level of a line that no flash moves. Where it ``resets``, it does so after that.
    """
    rows, memories = Rows(given.count, words), []

    class Kept(Memory):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            memories.append(self)

    made = top.LinkTop(rows, b"{}", Plan(CLOCK, 1_000_000, 12_000, 1, ()), given)
    chip = FlashChip(content, clock_hz=CLOCK)
    if dead is not None:
        chip = FlashChip(b"", clock_hz=CLOCK, floats=dead)
    reset, written = Signal(), []
    dut = ResetInserter(reset)(WithFlash(made, chip))
    place = program.Layout.of(len(rows.regions), 3, 1).settings.start
    registers = [place + REGISTERS[name].row for name in ("loaded", "flash")]
    found = []

    async def watch(ctx):
        while True:
            await ctx.tick()
            if ctx.get(rows.access.ready):
                assert ctx.get(rows.access.write)
                assert ctx.get(rows.access.region) == 0
                data = ctx.get(rows.access.data) & ((1 << 16 * words) - 1)
                written.append((ctx.get(rows.access.row), data.to_bytes(2 * words, "little")))

    async def bench(ctx):
        _, memory = memories
        await ctx.tick().repeat(3000)
        for _ in range(100):
            await ctx.tick().repeat(100)
            if ctx.get(memory.data[registers[1]]) and not ctx.get(made.cs):
                break
        if resets:
            ctx.set(reset, 1)
            await ctx.tick().repeat(3)
            ctx.set(reset, 0)
            for _ in range(400):
                await ctx.tick()
                assert not ctx.get(made.cs)
        await ctx.tick().repeat(500)
        found.extend(ctx.get(memory.data[at]) for at in registers)

    before, processor.Memory = processor.Memory, Kept
    try:
        run_bench(dut, bench, background=[watch], max_cycles=50_000)
    finally:
        processor.Memory = before
    return written, *found


def in_rows(content, words=2):
    size = 2 * words
    return [(k, content[k * size :][:size]) for k in range(len(content) // size)]


@pytest.mark.parametrize("words", [1, 2, 3])
def test_all_rows_are_written_in_order_and_then_it_is_loaded(words):
    content = bytes(draw.randrange(256) for _ in range(7 * 2 * words))
    given = Image(7, content)
    found = read(given.to_bytes() + b"\x55" * 9, given=given, words=words)
    assert found == (in_rows(content, words), 1, LOADED)


def test_a_reset_does_not_read_them_again():
    assert read(WHOLE, resets=True) == (in_rows(ROWS), 1, LOADED)


def flipped(bit, content=WHOLE):
    changed = bytearray(content)
    changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


HEADER = 8 * 20
OTHERS = Image(5, ROWS[:-1] + bytes([ROWS[-1] ^ 1])).to_bytes()
LONGER = Image(6, ROWS + b"1234").to_bytes()
WRONG = {
    "nothing": (b"", {}, DIFFERS),
    "zeros": (bytes(100), {}, DIFFERS),
    "no flash, high": (b"", {"dead": 1}, DIFFERS),
    "no flash, low": (b"", {"dead": 0}, DIFFERS),
    "another version": (flipped(63), {}, DIFFERS + 3),
    "one word later": (b"\xff\xff" + WHOLE, {}, DIFFERS),
    "another length": (LONGER, {}, DIFFERS + 4),
    "another digest": (OTHERS, {}, DIFFERS + 6),
    "its last bit": (flipped(HEADER - 1), {}, DIFFERS + 9),
}
SPOILT = {
    "the first bit": flipped(HEADER),
    "a bit in the midst": flipped(HEADER + 93),
    "the last bit": flipped(len(WHOLE) * 8 - 33),
    "a bit of the check": flipped(len(WHOLE) * 8 - 1),
    "the check is missing": WHOLE[:-4],
    "a word is missing": WHOLE[: HEADER // 8 + 8] + WHOLE[HEADER // 8 + 10 :],
    "two words are exchanged": WHOLE[:20] + WHOLE[22:24] + WHOLE[20:22] + WHOLE[24:],
}


QUICK = ("nothing", "no flash, low", "another digest", "a bit in the midst", "the last bit")


def named(given):
    """Some of them for every run."""
    return faults([(name,) for name in given], lambda case: case[0] in QUICK)


@pytest.mark.parametrize("name", named(WRONG))
def test_where_the_header_is_another_nothing_is_written(name):
    content, how, said = WRONG[name]
    assert read(content, **how) == ([], 0, said)


@pytest.mark.parametrize("name", named(SPOILT))
def test_weights_that_are_damaged_are_not_taken_for_loaded(name):
    _, loaded, said = read(SPOILT[name])
    assert (loaded, said) == (0, DAMAGED)


# -- planted faults -------------------------------------------------------------------------------
def as_it_should():
    """Whether weights are read as they are, and damaged ones are not taken for them."""
    good = read(WHOLE) == (in_rows(ROWS), 1, LOADED)
    spoilt = read(SPOILT["a bit in the midst"])[1:] == (0, DAMAGED)
    other = read(OTHERS) == ([], 0, DIFFERS + 6)
    return good and spoilt and other


FAULTS = [
    # the check is not looked at
    (loading, 'p.unless(Flag.SOUND, "was read")', "p.load(DAMAGED)"),
    # another address
    (loading, 'OFFSET.to_bytes(3, "big")', 'OFFSET.to_bytes(3, "little")'),
    # a word has three bytes
    (loading, "for _ in range(2):", "for _ in range(3):"),
    # a row is one word short
    (loading, "p.load(words)", "p.load(words - 1)"),
    # one row too few
    (loading, "p.sub(rows - 1)", "p.sub(rows - 2)"),
    # words are not moved down
    (loading, "for _ in range(widest - words)", "for _ in range(0)"),
    # one word of the header is not looked at
    (loading, "len(image.header) // 2 - 1", "len(image.header) // 2 - 5"),
    # it is not awakened
    (loading, "_give(p, _RELEASE)", "_give(p, _READ)"),
    # nor waited for
    (loading, "_PAUSES = 64", "_PAUSES = 1"),
    # the check does not begin anew behind the address
    (loading, "    p.act(Action.ANEW)\n", ""),
    # the lowest bit first
    (flash, "self.came.eq(Cat(seen, self.came))", "self.came.eq(Cat(self.came[1:], seen))"),
    # another check
    (flash, "_CHECK = 0x04C11DB7", "_CHECK = 0x04C11DB5"),
    # a bit is looked at before it comes
    (flash, "over.eq((left[:2] == 1) & (left != BYTE - 1))", "over.eq(left[:2] == 3)"),
    # it stays selected when the release is over
    (flash, "self.cs.eq(self.select)", "self.cs.eq(1)"),
]


def quick(fault):
    return fault in FAULTS[:2]


@pytest.mark.parametrize(("module", "old", "new"), faults(FAULTS, quick))
def test_a_fault_is_noticed(module, old, new, monkeypatch):
    changed = planted(old, new, module)
    where, name = (top, "FlashLine") if module is flash else (program, "load_weights")
    monkeypatch.setattr(where, name, getattr(changed, name))
    assert not as_it_should()


def test_without_one_all_is_as_it_should_be():
    assert as_it_should()


def test_an_image_whose_words_are_turned_round_is_none_that_a_host_would_write(monkeypatch):
    changed = planted('"<u2"', '">u2"', image)
    monkeypatch.setitem(globals(), "image_of", changed.image_of)
    with pytest.raises(AssertionError):
        test_its_rows_are_what_a_host_would_write()


# -- the whole board ------------------------------------------------------------------------------
def differences(chip, network, steps=20, most=0.05):
    """Bits in which a chip's run is another than that of the integers, and its spikes."""
    x = np.random.default_rng(3).random((steps, network.inputs["x"].count)) < most
    found, wanted = chip.run(x=x), network.fixed().run(x=x)
    bits = sum(np.count_nonzero(values != wanted[name]) for name, values in found.arrays().items())
    return bits, found.spikes["h"].sum()


def no_loading(self):
    raise AssertionError("the host writes weights")


@pytest.mark.compiler
@pytest.mark.slow
def test_a_board_runs_on_the_weights_of_its_flash(monkeypatch):
    net = wide()
    board = simulated_board(net, "icebreaker", baud=3_000_000, flat_out=True, weights="flash")
    monkeypatch.setattr(Chip, "load", no_loading)
    with connect(SimulatedPort(board), net) as chip:
        assert chip.identity.loaded
        assert (chip.is_loaded, chip.flash) == (True, "loaded")
        assert board.clocks < 48 * 144 * 128 + 10_000
        bits, spikes = differences(chip, net)
        assert (bits, spikes > 500) == (0, True)
        made = image_of(plan(net.fixed(), chip.identity.lanes))
        assert chip._memory.read("weights").astype("<u2").tobytes() == made.rows


@pytest.mark.compiler
@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "said"),
    nightly(
        [(None, "damaged weights"), (b"", "no weights"), (OTHERS, "other weights")],
        lambda case: case[0] is None,
    ),
    ids=("damaged", "none", "others"),
)
def test_where_the_flash_has_none_the_host_writes_them(content, said, capsys):
    net = wide()
    if content is None:
        hardware, _ = design.design(net, net.fixed(), BOARDS["icebreaker"])
        content = flipped(123_456, image_of(hardware.plan).to_bytes())
    board = simulated_board(
        net, "icebreaker", baud=3_000_000, flat_out=True, weights="flash", flash=content
    )
    with connect(SimulatedPort(board), net) as chip:
        assert (chip.is_loaded, chip.flash) == (True, said)
        bits, spikes = differences(chip, net)
        assert (bits, spikes > 500) == (0, True)


@pytest.mark.compiler
@pytest.mark.slow
@pytest.mark.nightly
def test_the_netlist_of_a_up5k_runs_on_the_weights_of_its_flash(monkeypatch):
    """With an SB_SPRAM256KA that knows nothing at first, and a flash made of logic beside it."""
    row, net = BOARDS["icebreaker"], wide(20, 12)
    fixed = net.fixed()
    gates = Gates(fixed, 8, network_form(row.part), loaded=True, linked=True)
    rates = link_plan(fixed, gates, clock_hz=row.clock_hz, baud=3_000_000, flat_out=True)
    given = image_of(gates.plan)
    chip = FlashChip(given.to_bytes(), clock_hz=row.clock_hz)
    dut = WithFlash(design.linked_top(fixed, gates, rates, row, given), chip)
    dut.loaded = True
    board = SimulatedBoard(
        None, clock_hz=row.clock_hz, baud=3_000_000, library=netlist_library(dut, row.chip)
    )
    monkeypatch.setattr(Chip, "load", no_loading)
    with connect(SimulatedPort(board), net) as chip:
        assert (chip.is_loaded, chip.flash) == (True, "loaded")
        bits, spikes = differences(chip, net, most=0.3)
        assert (bits, spikes > 50) == (0, True)


# -- a build --------------------------------------------------------------------------------------
def test_a_build_has_a_file_for_the_flash_and_says_how_it_comes_there(
    tools,  # noqa: F811
    tmp_path,
    monkeypatch,
    capsys,
):
    path = tmp_path / "net.py"
    path.write_text(f"{IMPORTS}\n\n{inspect.getsource(wide)}")
    flashed = ["--weights", "flash"]
    monkeypatch.chdir(tmp_path)
    command = ["build", "net.py:wide", "--board", "icebreaker", "-o", "out"]
    assert cli.main([*command, *flashed]) == 0
    said = capsys.readouterr().out
    assert "wide-icebreaker.weights.bin, for its flash at 0x100000" in said
    assert "(runs iceprog -o 0x100000, then iceprog)" in said
    content = (tmp_path / "out" / "wide-icebreaker.weights.bin").read_bytes()
    hardware, _ = design.design(wide(), wide().fixed(), BOARDS["icebreaker"])
    assert content == image_of(hardware.plan).to_bytes()
    report = json.loads((tmp_path / "out" / "wide-icebreaker.json").read_text())
    assert report["weights"] == "out/wide-icebreaker.weights.bin"
    assert report["weights_offset"] == OFFSET
    assert report["weights_sha256"] == hashlib.sha256(content).hexdigest()
    (tmp_path / "out" / "wide-icebreaker.weights.bin").unlink()
    assert cli.main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["weights"], told["weights_offset"], told["weights_sha256"]) == (None,) * 3
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "wide-icebreaker.bin",
        "wide-icebreaker.json",
    ]


@pytest.mark.slow
def test_a_bitstream_that_reads_its_flash_fits_a_up5k_in_time(tmp_path):
    report = build_bitstream(wide(256), "icebreaker", tmp_path, weights="flash", progress=False)
    assert report.utilization["logic"]["used"] < 2300
    assert report.fmax_mhz > 2 * report.clock_mhz
    assert report.cells["SB_SPRAM256KA"] == 4
    assert (tmp_path / "wide-icebreaker.bin").stat().st_size == 104_090
    assert (tmp_path / "wide-icebreaker.weights.bin").stat().st_size == 20 + 256 * 128 + 4


def test_the_image_lies_behind_bitstreams_and_within_the_flash():
    assert OFFSET > 5 * 104_090  # of an UP5K, four at most and what chooses between them
    most = 4 * 16_384 * 2  # bytes of all SPRAM
    assert OFFSET + most < 4 << 20
    assert OFFSET % (64 << 10) == 0  # what is erased before it is written


@pytest.mark.parametrize(
    "name", faults([("icebreaker",), ("icesugar",)], lambda b: b[0] == "icebreaker")
)
def test_the_flash_of_a_board_is_its_platforms_and_its_pins_are_those_of_the_bitstream(name):
    row = BOARDS[name]
    *_, made, plan = _prepared(wide(), row, weights="flash")
    assert made is not None
    platform = row.make_platform()
    asked = platform.lookup(*row.flash)
    names = {io.name: io.ios[0].names for io in asked.ios if hasattr(io, "ios")}
    pins = {line.split()[2] for line in plan.files["top.pcf"].splitlines() if "set_io" in line}
    assert {name for each in names.values() for name in each} <= pins
    port = platform.request(*row.flash, dir="-")
    inverted = {name: getattr(port, name).invert for name in names}
    assert inverted == {name: (name in ("cs", "wp", "hold"),) for name in names}
    bare = _prepared(wide(), row)[-1].files["top.pcf"]
    assert not {line.split()[2] for line in bare.splitlines() if "set_io" in line} & {
        name for each in names.values() for name in each
    }


def test_only_boards_whose_device_has_spram_need_one():
    for row in BOARDS.values():
        assert bool(row.flash) == bool(row.part.sprams)
        assert bool(row.program_weights) == bool(row.flash)


# -- what goes wrong ------------------------------------------------------------------------------
def test_weights_from_a_flash_are_refused_where_there_is_none(tmp_path):
    with pytest.raises(ScneuroError, match="ULX3S 85F has no flash that weights") as caught:
        build_bitstream(wide(), "ulx3s_85f", tmp_path, weights="flash")
    assert caught.value.hint == "without it, the bitstream brings them"
    with pytest.raises(ValueError, match="weights come from host or flash, not 'disk'"):
        build_bitstream(wide(), "icebreaker", tmp_path, weights="disk")
    with pytest.raises(ValueError, match="weights from a flash are of networks"):
        build_bitstream(LIF(), "icebreaker", tmp_path, weights="flash")
    with pytest.raises(ScneuroError, match="has no flash"):
        simulated_board(wide(), "ecpix5_45", weights="flash")
    assert list(tmp_path.iterdir()) == []


def few(folder):
    """The file of a network with few weights."""
    path = folder / "few.py"
    path.write_text(
        "import numpy as np\nfrom scneuro import LIF, Network\nfrom scneuro.network import Dense\n"
        "net = Network('few')\nnet.input('x', 2)\nnet.population('out', LIF(), 1)\n"
        "net.connect('x', 'out', Dense(np.ones((1, 2))))\n"
    )
    return f"{path}:net"


def test_on_the_command_line_it_is_a_line_and_2(tmp_path, capsys):
    for options, said in [
        (["lif", "--board", "icebreaker"], "weights from a flash are of networks"),
        (["lif", "--link", "--board", "icebreaker"], "weights from a flash are of networks"),
        ([few(tmp_path), "--board", "icestick"], "iCEstick has no flash that weights could"),
    ]:
        given = ["build", *options, "--weights", "flash", "-o", str(tmp_path)]
        assert cli.main(given) == 2
        error = capsys.readouterr().err
        assert said in error
        assert "Traceback" not in error


@pytest.mark.parametrize("said", ["loaded", "no weights", "damaged weights"])
def test_a_run_says_why_it_wrote_weights_itself(said, monkeypatch, capsys):
    board = SimpleNamespace(board="icebreaker", loaded=True)
    there = SimpleNamespace(identity=board, flash=said)
    monkeypatch.setattr("scneuro.boards.connect", lambda *given, **options: there)
    options = SimpleNamespace(port="/dev/ttyUSB1", board=None, baud=None)
    assert connector(options, wide())() is there
    wanted = f"  the board's flash has {said}: they were written from here\n"
    assert capsys.readouterr().err == ("" if said == "loaded" else wanted)


def test_where_block_ram_has_the_weights_none_are_left_for_the_flash(
    tools,  # noqa: F811
    tmp_path,
    capsys,
):
    given = ["build", few(tmp_path), "--board", "icebreaker", "--weights", "flash"]
    assert cli.main([*given, "-o", str(tmp_path / "out")]) == 0
    told = capsys.readouterr()
    assert "no weights are left for the flash" in told.err
    assert "(runs iceprog)" in told.out
    assert [p.suffix for p in sorted((tmp_path / "out").iterdir())] == [".bin", ".json"]
