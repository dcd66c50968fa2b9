"""The link's program reaches only rows that there are, whatever comes and whenever: proved.

By Floyd's method: what holds at each label is stated, and every way from a label to the next one is
followed with a memory, a request and flags that may be anything. What an instruction does is said
here once more, and compared with the gates.
"""

import inspect
import random
import types

import pytest
import z3
from amaranth.sim import Simulator
from checks import nightly
from test_link_gates import small

from scneuro.hdl.link import loading
from scneuro.hdl.link import program as source
from scneuro.hdl.link.processor import PROGRAM, Flag, Processor, Program, Source
from scneuro.hdl.network import Network as Gates
from scneuro.link.image import image_of
from scneuro.link.messages import FIRST_MEMORY, Kind
from scneuro.link.messages import Region as Own

JUMPS, WANTED, KEEPS, INDEXED, STORES, POINTS, ADDS, INVERTS = 15, 14, 14, 13, 12, 11, 10, 9
BYTE = 0x100


def does(i, state, byte, word):
    """The state behind an instruction that is no jump, given what may come from around."""
    a, pointer, carry, memory = state
    bits = memory.sort().domain().size()
    direct = z3.BitVecVal(i & (PROGRAM - 1), bits)
    at = z3.Extract(bits - 1, 0, pointer) if i >> INDEXED & 1 else direct
    if i >> KEEPS & 1:
        memory = z3.Store(memory, at, a) if i >> STORES & 1 else memory
        return a, a if i >> POINTS & 1 else pointer, carry, memory
    inverts = i >> INVERTS & 1
    match i >> POINTS & 3:
        case Source.MEMORY:
            word = ~memory[at] if inverts else memory[at]
        case Source.SHIFT:
            word = z3.LShR(a, 8) | (z3.ZeroExt(8, byte) << 8 if i & 3 else 0)
    total = z3.ZeroExt(1, a) + z3.ZeroExt(1, word) + inverts
    a = z3.Extract(15, 0, total) if i >> ADDS & 1 else word
    return a, pointer, z3.Extract(16, 16, total) == 1, memory


class Proof:
    """A program, what is claimed at its labels, and whether each way keeps it."""

    def __init__(self, module=source, network=None, image=None):
        gates = Gates((network or small()).fixed(), lanes=8, linked=True)
        image = image and image(gates.plan)
        self.regions, kept = gates.regions, []

        class Kept(Program):
            def __init__(self, *given):
                super().__init__(*given)
                kept.append(self)

        words = gates.plan.frame_words, gates.plan.output_words
        before, module.Program = module.Program, Kept
        try:
            self.code, self.memory = module.link_program(gates.regions, *words, b"{}", image)
        finally:
            module.Program = before
        (self.program,) = kept
        self.layout = source.Layout.of(len(gates.regions), *words)
        self.labels = {place: set() for place in self.program._labels.values()}
        for name, place in self.program._labels.items():
            self.labels[place].add(name)
        self.bits = (len(self.memory) - 1).bit_length()
        variables = len(source._VARIABLES)
        self.fixed = [*range(variables, len(self.program.memory)), *self.layout.tables]

    # -- what holds ------------------------------------------------------------------------------
    def of(self, memory, name):
        return memory[self.program._place(name)]

    def table(self, memory, k, region):
        """What a table has of a region."""
        begin = self.layout.tables.start + k * (FIRST_MEMORY + len(self.regions))
        return memory[z3.Extract(self.bits - 1, 0, region + begin)]

    def always(self, state):
        _, _, _, memory = state
        kind, waits = self.of(memory, "kind"), self.of(memory, "waits")
        fed = self.layout.fed
        return z3.And(
            *(memory[at] == self.memory[at] for at in self.fixed),
            z3.UGE(self.of(memory, "fed_in"), fed.start),
            z3.ULT(self.of(memory, "fed_in"), fed.stop),
            z3.ULT(self.of(memory, "made"), 2 * len(self.layout.results)),
            z3.ULE(waits, 2),
            z3.Implies(waits == 1, z3.Or(*(kind == k * BYTE for k in (Kind.READ, Kind.WRITE)))),
            z3.Implies(waits == 2, self.known(state)),
        )

    def known(self, state):
        """A request whose region was looked up, or one that has none."""
        _, _, _, memory = state
        kind, region = self.of(memory, "kind"), self.of(memory, "region")
        looked = z3.And(
            z3.ULT(region, FIRST_MEMORY + len(self.regions)),
            self.of(memory, "end") == self.table(memory, 0, region),
            self.table(memory, 1, region) != 0,
        )
        written = self.table(memory, 2, region) != 0
        return z3.Or(
            kind == Kind.FEED * BYTE,
            kind == Kind.TAKE * BYTE,
            z3.And(kind == Kind.READ * BYTE, looked),
            z3.And(kind == Kind.WRITE * BYTE, looked, written),
        )

    def at_label(self, name, state):
        """What is claimed at a label besides."""
        a, _, _, memory = state
        kind, region = self.of(memory, "kind"), self.of(memory, "region")
        new = self.of(memory, "waits") == 0
        pointer = state[1]

        def among(*kinds):
            return z3.Or(*(kind == k * BYTE for k in kinds))

        within = z3.ULE(self.of(memory, "row"), self.of(memory, "end"))
        between = self.of(memory, "going") == 0
        match name:
            case "start" | "asleep" | "header" | "load row" | "load word" | "check" | "differs":
                first = z3.And(new, between)
                if name == "load row":
                    first = z3.And(first, z3.ULT(a, self.regions[0].rows))
                if name == "load word":
                    first = z3.And(first, z3.ULT(pointer, self.regions[0].rows))
                    first = z3.And(first, self.of(memory, "row") == pointer)
                return first
            case "unknown" | "less":
                return new
            case "a read":
                return z3.And(new, among(Kind.READ))
            case "a take" | "is behind":
                return z3.And(new, among(Kind.TAKE))
            case "order" | "again" | "due":
                return z3.And(new, among(Kind.WRITE, Kind.FEED, Kind.TAKE))
            case "reach":
                return z3.And(z3.ULE(self.of(memory, "waits"), 1), among(Kind.READ, Kind.WRITE))
            case "is read":
                looked = self.of(memory, "end") == self.table(memory, 0, region)
                there = z3.ULT(region, FIRST_MEMORY + len(self.regions))
                return z3.And(among(Kind.READ), between, looked, there)
            case "go on":
                return self.of(memory, "waits") == 2
            case "feed" | "feed on" | "feed word" | "fed":
                return among(Kind.FEED)
            case "take" | "say results":
                return among(Kind.TAKE)
            case "read" | "read word" | "say word" | "of settings":
                return z3.And(self.known(state), among(Kind.READ), between)
            case "of a memory":
                there = z3.UGE(region, FIRST_MEMORY)
                return z3.And(self.known(state), among(Kind.READ), between, within, there)
            case "fill" | "filled next" | "filled all":
                return z3.And(self.known(state), among(Kind.WRITE), between)
            case "fill word" | "shift down" | "filled":
                there = region != Own.SETTINGS
                return z3.And(self.known(state), among(Kind.WRITE), between, within, there)
            case "set":
                there = region == Own.SETTINGS
                return z3.And(self.known(state), among(Kind.WRITE), between, within, there)
            case "pause":
                return self.known(state)
            case "say":
                read = z3.And(a == 0, among(Kind.READ))
                return z3.Implies(read, z3.And(self.known(state), between))
        if name.startswith("place"):
            own = z3.ULT(a, len(self.layout.results))
            return own if self.before(name, "request") else among(Kind.TAKE)
        if name.startswith("next") and self.before("request", name):
            return among(Kind.TAKE) if self.before("take", name) else among(Kind.FEED)
        return z3.BoolVal(True)

    def before(self, a, b):
        return self.program._labels[a] < self.program._labels[b]

    def claimed(self, place, state):
        return z3.And(self.always(state), *(self.at_label(n, state) for n in self.labels[place]))

    def reached(self, state, writes):
        """A row of a memory that there is, and that may be written if it is, between steps."""
        a, pointer, _, memory = state
        there = [z3.ULT(a, len(self.regions)), self.of(memory, "going") == 0]
        for k, region in enumerate(self.regions):
            may = z3.ULT(pointer, region.rows) if region.writable or not writes else False
            there.append(z3.Implies(a == k, may))
        return z3.And(*there)

    # -- every way -------------------------------------------------------------------------------
    def ways(self, place, state):
        """Conditions, and what is to hold under them, from a label to the next ones."""
        todo, found = [(place, state, [])], []
        while todo:
            at, state, taken = todo.pop()
            if at in self.labels and taken:
                found.append((taken, self.claimed(at, state), at))
                continue
            i, (a, _, carry, _) = self.code[at], state
            if not i >> JUMPS & 1:
                byte, word = z3.FreshConst(z3.BitVecSort(8)), z3.FreshConst(z3.BitVecSort(16))
                todo.append((at + 1, does(i, state, byte, word), [*taken, z3.BoolVal(True)]))
                continue
            flag, to = Flag(i >> INVERTS & 15), i & (PROGRAM - 1)
            bit = {Flag.ZERO: a == 0, Flag.CARRY: carry, Flag.NEVER: z3.BoolVal(False)}
            bit |= {Flag.BIT0: z3.Extract(0, 0, a) == 1, Flag.BIT1: z3.Extract(1, 1, a) == 1}
            holds = bit.get(flag, z3.FreshConst(z3.BoolSort()))
            jumps = holds if i >> WANTED & 1 else z3.Not(holds)
            if to == at:  # it waits
                if flag == Flag.REACHED:
                    found.append((taken, self.reached(state, i >> INDEXED & 1), at))
                todo.append((at + 1, state, [*taken, z3.BoolVal(True)]))
                continue
            if not z3.is_true(z3.simplify(z3.Not(jumps))):
                todo.append((to, state, [*taken, jumps]))
            if not z3.is_true(z3.simplify(jumps)):
                todo.append((at + 1, state, [*taken, z3.Not(jumps)]))
        return found

    def fails(self):
        """Labels from which a way leads where what is claimed does not hold."""
        failed = set()
        for place, names in self.labels.items():
            memory = z3.Array("memory", z3.BitVecSort(self.bits), z3.BitVecSort(16))
            a, pointer = z3.BitVecs("a pointer", 16)
            state = a, pointer, z3.Bool("carry"), memory
            solver = z3.SolverFor("QF_ABV")
            solver.add(self.claimed(place, state))
            assert solver.check() == z3.sat, names
            for taken, wanted, to in self.ways(place, state):
                solver.push()
                solver.add(*taken, z3.Not(wanted))
                if solver.check() != z3.unsat:
                    failed.add((*sorted(names), to))
                solver.pop()
        return failed


def planted(old, new, source=source):
    """The program's module, or another, with a piece of it replaced."""
    text = inspect.getsource(source)
    assert text.count(old) == 1, old
    module = types.ModuleType(source.__name__)
    module.__package__ = source.__package__
    exec(text.replace(old, new), vars(module))
    return module


def test_only_rows_that_there_are_are_reached_and_written_only_what_may_be():
    proof = Proof()
    asks = 1 << JUMPS | Flag.REACHED << INVERTS
    assert sum(i & ~(1 << INDEXED | PROGRAM - 1) == asks for i in proof.code) == 2
    assert proof.fails() == set()


@pytest.mark.slow
def test_so_it_is_where_a_step_leaves_nothing():
    network = small()
    network.output(sends="counts")
    proof = Proof(network=network)
    assert [r.name for r in proof.regions][-2:] == ["q/counts", "p/counts"]
    assert proof.fails() == set()


def test_so_it_is_where_a_flash_brings_the_weights_first():
    proof = Proof(image=image_of)
    asks = 1 << JUMPS | Flag.REACHED << INVERTS
    assert sum(i & ~(1 << INDEXED | PROGRAM - 1) == asks for i in proof.code) == 3
    assert proof.fails() == set()


@pytest.mark.parametrize(("image", "first"), [(None, "main"), (image_of, "start")])
def test_it_holds_at_the_start(image, first):
    proof = Proof(image=image)
    zero = z3.BitVecVal(0, 16)
    memory = z3.Array("memory", z3.BitVecSort(proof.bits), z3.BitVecSort(16))
    for at, word in enumerate(proof.memory):
        memory = z3.Store(memory, at, word)
    state = zero, zero, z3.BoolVal(False), memory
    assert proof.labels[0] == {first}
    assert z3.is_true(z3.simplify(proof.claimed(0, state)))


FAULTS = [
    # a row beyond the last one is written
    (
        """    p.where(Flag.ZERO, "say")
    p.load("end")
    p.sub("row")
    p.unless(Flag.CARRY, "outside")
""",
        """    p.where(Flag.ZERO, "say")
""",
    ),
    # or the one behind the last one is read
    (
        """    p.where(Flag.ZERO, "send")
    p.load("end")
    p.sub("row")
""",
        """    p.where(Flag.ZERO, "send")
    p.load("end")
    p.add(1)
    p.sub("row")
""",
    ),
    # regions go on behind the last one
    ("p.sub(regions)", "p.sub(regions + 1)"),
    # what is only read is written
    (
        "_of_region(p, layout.tables.start + 2 * regions)",
        "_of_region(p, layout.tables.start + regions)",
    ),
    # a row is reached in a step
    (
        """    p.where(Flag.CARRY, "say results")
    p.load("going")
    p.unless(Flag.ZERO, "step")
""",
        """    p.where(Flag.CARRY, "say results")
""",
    ),
    # a request that made way goes on as another
    ('    p.load(2)\n    p.store("waits")', '    p.load(1)\n    p.store("waits")'),
    # one row more than there are settings
    (
        "own[Region.SETTINGS] = (settings, 1, True)",
        "own[Region.SETTINGS] = (settings + 1, 1, True)",
    ),
    # a table has rows where it should have the last one
    ("[r[0] - 1 for r in rows]", "[r[0] for r in rows]"),
    # words that are fed go on behind their place
    (
        '    _next(p, "fed_in", layout.fed.stop, layout.fed.start)',
        '    p.add(1)\n    p.store("fed_in")',
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new"), nightly(FAULTS, lambda fault: fault in FAULTS[:2]))
def test_a_fault_of_the_program_is_found(old, new):
    assert Proof(planted(old, new)).fails()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        # every other row is written, and one behind the last
        ("p.add(rows & 0xFFFF)", "p.add(rows + 1)"),
        # another memory's row
        ('p.unless(Flag.ZERO, "load word")', 'p.unless(Flag.CARRY, "load word")'),
    ],
)
def test_a_fault_of_how_the_flash_is_read_is_found(old, new, monkeypatch):
    monkeypatch.setattr(source, "load_weights", planted(old, new, loading).load_weights)
    assert Proof(image=image_of).fails()


def test_the_gates_do_what_is_said_of_an_instruction():
    """A program of instructions that may be any, one after the other, and jumps behind them."""
    draw = random.Random(3)
    kinds = [0, 1 << ADDS, 1 << ADDS | 1 << INVERTS, 1 << INDEXED, 1 << KEEPS | 1 << STORES]
    kinds += [1 << KEEPS | 1 << POINTS, 1 << KEEPS | 1 << STORES | 1 << INDEXED]
    kinds += [*(Source.SHIFT << POINTS | k for k in (0, 1, 2)), Source.ROW << POINTS]
    code = [draw.choice(kinds) | draw.randrange(32) for _ in range(200)]
    code = [
        i & ~31 | i & 3 if i >> POINTS & 3 == Source.SHIFT and not i >> KEEPS else i for i in code
    ]
    words = [draw.randrange(1 << 16) for _ in range(32)]
    dut = Processor(code, words)
    memory = z3.Array("memory", z3.BitVecSort(5), z3.BitVecSort(16))
    for at, word in enumerate(words):
        memory = z3.Store(memory, at, word)
    came = [z3.BitVecVal(byte, 8) for byte in (0, 0x5A, 0x3C, 0x5A | 0x3C)]
    row = z3.BitVecVal(0x1234, 16)
    zero = z3.BitVecVal(0, 16)
    seen = []

    async def bench(ctx):
        ctx.set(dut.body, 0x5A)
        ctx.set(dut.came, 0x3C)
        ctx.set(dut.row, 0x1234)
        await ctx.tick()
        for _ in code:
            await ctx.tick().repeat(2)
            seen.append((ctx.get(dut.accumulator), ctx.get(dut.pointer)))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    state, wanted = (zero, zero, z3.BoolVal(False), memory), []
    for i in code:
        a, pointer, carry, memory = does(i, state, came[i & 3], row)
        state = z3.simplify(a), z3.simplify(pointer), z3.simplify(carry), z3.simplify(memory)
        wanted.append((state[0].as_long(), state[1].as_long()))
    assert seen == wanted
    assert len({a for a, _ in seen}) > 50
