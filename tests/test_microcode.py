"""A neuron as a program: its digits, its instructions, its gates, and what is proved of them."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth import Module, ResetInserter, Signal
from amaranth.sim import Simulator
from checks import faults as planted
from checks import few
from faults.text import rewritten
from hypothesis import given
from hypothesis import strategies as st
from systems import finite_systems

from scneuro import LIF, AdEx, Izhikevich, NoisyLIF, Population
from scneuro.boards.area import measure_area
from scneuro.boards.devices import DEVICES
from scneuro.boards.table import board
from scneuro.cli import main
from scneuro.compiler.datapath import INTEGERS
from scneuro.compiler.microcode import link, microcode
from scneuro.compiler.microcode.digits import DIGIT, coefficient, count, digits
from scneuro.compiler.microcode.instructions import APART, Op
from scneuro.compiler.microcode.machine import Machine
from scneuro.errors import LoweringError
from scneuro.hdl import Form, Microcoded, Neuron, build, generated
from scneuro.load import make_neuron
from scneuro.neurons import builtins
from scneuro.sim import export_verilog, parity
from scneuro.sim.chip.netlist import netlist_parity
from scneuro.sim.compare.vectors import random_vectors
from scneuro.sim.ladder import climb
from scneuro.sim.proof import prove
from scneuro.sim.proof.invariants.microcoded import microcoded, microcoded_reset
from scneuro.sim.proof.invariants.solver import check
from scneuro.sim.proof.microcode import faults

FORM = Form(held=True, microcode=True)
IN_LOGIC = Form(held=True, microcode=True, multipliers=0)
slow = pytest.mark.slow


def integers(name):
    """A built-in neuron's; at the default budget, this one's tables take too many words."""
    return make_neuron(name).fixed(budget=1.2 if name == "hodgkin_huxley" else None)


def program_of(name):
    return microcode(integers(name).lowered)


def put(machine, states):
    """A machine whose states are others."""
    for name, value in states.items():
        places = machine.program.states[name]
        for place, digit in zip(places, digits(int(value), len(places)), strict=True):
            machine.memory[place] = digit


def unlike(program, fixed, steps=40, seed=0):
    """The first vector at which a program is not its datapath; None if there is none."""
    lowered = fixed.lowered
    path, first = lowered.path, next(iter(lowered.registers))
    step = path.evaluator(path.outputs, INTEGERS)
    word = path.evaluator({first: lowered.words[first]}, INTEGERS)
    vectors = random_vectors(fixed, steps, seed=seed)
    machine = Machine(program)
    for k in range(steps):
        vector = {name: int(values[k]) for name, values in vectors.items()}
        put(machine, {name: vector[name] for name in lowered.registers})
        machine.step({name: vector[name] for name in program.externals})
        wanted = step(vector)
        found = {name: machine.state(name) for name in lowered.registers}
        left = word({**vector, **{name: wanted[name] for name in lowered.registers}})[first]
        if (found, machine.spike, machine.word) != (
            {name: wanted[name] for name in lowered.registers},
            bool(wanted["spike"]),
            left,
        ):
            return vector
    return None


class TestDigits:
    @given(st.integers(-(1 << 61), (1 << 61) - 1))
    def test_digits_are_the_integer(self, value):
        parts = digits(value, count(value, value))
        assert sum(part << DIGIT * k for k, part in enumerate(parts)) == value
        assert all(0 <= part < 1 << DIGIT for part in parts[:-1])
        assert -(1 << DIGIT) <= parts[-1] < 1 << DIGIT

    @given(st.integers(-(1 << 61), (1 << 61) - 1))
    def test_a_coefficient_is_a_sum_of_words(self, value):
        parts = coefficient(value)
        assert sum(part << DIGIT * k for k, part in enumerate(parts)) == value
        assert all(-(1 << DIGIT) <= part < 1 << DIGIT for part in parts)

    @pytest.mark.parametrize(
        ("ends", "number"),
        [
            ((-32768, 32767), 1),
            ((0, 32768), 2),
            ((-32769, 0), 2),
            ((0, (1 << 30) - 1), 2),
            ((0, 1 << 30), 3),
            ((0, 0), 1),
        ],
    )
    def test_a_word_is_one_digit(self, ends, number):
        assert count(*ends) == number


class TestProgram:
    @pytest.mark.parametrize("name", builtins())
    def test_a_step_is_that_of_the_datapath(self, name):
        found = integers(name)
        program = microcode(found.lowered)
        assert unlike(program, found) is None
        assert faults(program)[0] == []

    @pytest.mark.parametrize("rounding", ["stochastic", "floor"])
    def test_other_roundings_too(self, rounding):
        found = LIF().fixed(rounding=rounding)
        program = microcode(found.lowered)
        assert unlike(program, found) is None
        assert faults(program)[0] == []

    def test_what_is_written_is_read_when_it_is_there(self):
        """The distance between instructions, which nothing in the hardware waits for."""
        program = program_of("hodgkin_huxley")
        writes = (Op.STORE, Op.LAST, Op.SIGN, Op.TAKE)
        reads = (Op.LOAD, Op.FIRST, Op.MORE, Op.NEXT)
        last = {}
        for clock, (op, address) in enumerate(program.code[: program.begin]):
            if op in reads:
                assert clock - last.get(address, -APART) >= APART
            if op in writes:
                last[address] = clock

    @pytest.mark.parametrize("first", few(range(0, 400, 10), lambda k: k == 10, lambda k: k % 100))
    def test_random_systems(self, first):
        for _, system in finite_systems(10, first=first):
            try:
                found = system.fixed()
                program = microcode(found.lowered)
            except LoweringError:
                continue
            assert unlike(program, found) is None
            assert faults(program)[0] == []

    def test_a_program_of_long_tables_reaches_them(self):
        system = dict(finite_systems(1, first=18))[18]
        program = microcode(system.fixed().lowered)
        assert len(program.memory) > 1 << DIGIT
        assert unlike(program, system.fixed()) is None
        assert faults(program)[0] == []

    def test_a_program_that_is_too_long_says_what_to_do(self, monkeypatch):
        monkeypatch.setattr(link, "_MOST", 100)
        with pytest.raises(LoweringError, match=r"a program reaches 1,600\n.*microcode=True"):
            program_of("adex")

    def test_a_reset_begins_anew_from_any_memory(self):
        program = program_of("izhikevich")
        machine = Machine(program)
        first = {name: machine.state(name) for name in program.states}
        machine.step({"I": 2560})
        assert {name: machine.state(name) for name in program.states} != first
        machine._run(program.begin, [])
        assert {name: machine.state(name) for name in program.states} == first


class TestFaultsOfPrograms:
    """A program that was changed computes the same, or is found to be wrong."""

    def changed(self, program):
        for k, (op, address) in enumerate(program.code):
            others = {
                Op.FIRST: Op.MORE,
                Op.MORE: Op.FIRST,
                Op.NEXT: Op.MORE,
                Op.STORE: Op.LAST,
                Op.LAST: Op.STORE,
                Op.SIGN: Op.LAST,
                Op.LOAD: Op.NOTHING,
                Op.TAKE: Op.NOTHING,
                Op.POINT: Op.NOTHING,
                Op.SPIKE: Op.NOTHING,
                Op.WORD: Op.NOTHING,
            }
            if op in others:
                yield k, (others[op], address)
            if op not in (Op.END, Op.REST, Op.POINT, Op.THERE, Op.NOTHING, Op.SPIKE, Op.WORD):
                yield k, (op, (address + 1) % program.named)

    @pytest.mark.parametrize(
        "name", few(["lif", "izhikevich", "adex"], lambda n: n == "lif", lambda n: n == "adex")
    )
    def test_every_instruction_that_matters_is_noticed(self, name):
        found = integers(name)
        program = microcode(found.lowered)
        caught = total = 0
        for k, instruction in self.changed(program):
            code = (*program.code[:k], instruction, *program.code[k + 1 :])
            wrong = replace(program, code=code)
            noticed = bool(faults(wrong)[0])
            caught, total = caught + noticed, total + 1
            if not noticed:  # then it computes the same
                assert unlike(wrong, found, steps=200) is None, (k, program.code[k], instruction)
        assert total > 100
        assert caught > 0.9 * total

    @pytest.mark.parametrize("gap", [0, 1])
    def test_a_word_that_is_read_too_early(self, gap):
        """Instructions that do nothing are there for a reason."""
        program = program_of("quadratic_if")
        idle = [k for k, (op, _) in enumerate(program.code) if op == Op.NOTHING]
        code = [part for k, part in enumerate(program.code) if k != idle[gap]]
        assert faults(replace(program, code=tuple(code), begin=program.begin - 1))[0]

    def test_another_constant_or_row(self):
        program = program_of("adex")
        (begin, *_) = (program.memory[at] for at in program.tables)
        used = {a for op, a in program.code[: program.begin] if op in (Op.LOAD, Op.FIRST, Op.MORE)}
        constant = next(k for k in sorted(used) if program.memory[k] not in (0, 1))
        for place in (begin, begin + 100, constant):
            memory = list(program.memory)
            memory[place] += 1
            assert faults(replace(program, memory=tuple(memory)))[0], place

    def test_an_accumulator_that_is_too_narrow(self):
        program = program_of("lif")
        assert "accumulator" in faults(replace(program, accumulator=24))[0][0]

    def test_another_initial_state(self):
        program = program_of("lif")
        registers = program.lowered.registers
        other = {n: replace(r, init=r.init + 1) for n, r in registers.items()}
        wrong = replace(program, lowered=replace(program.lowered, registers=other))
        assert "a reset leaves V at" in faults(wrong)[0][0]


class TestGates:
    @pytest.mark.parametrize("make", [LIF, NoisyLIF, AdEx, Izhikevich])
    @pytest.mark.parametrize("form", [FORM, IN_LOGIC], ids=["dsp", "logic"])
    def test_they_are_the_integers(self, make, form, quick_to_compile):
        neuron = make()
        fixed = neuron.fixed()
        found = parity(
            neuron,
            {"I": np.full(150, neuron.currents[-1])},
            fixed=fixed,
            make=lambda: build(neuron, fixed, form),
            engine="cxxrtl",
            progress=False,
        )
        assert found.bit_exact, str(found)

    def test_they_are_the_integers_in_amaranths_simulator(self):
        neuron = LIF()
        fixed = neuron.fixed()
        found = parity(
            neuron,
            {"I": np.full(30, 4.0)},
            fixed=fixed,
            make=lambda: build(neuron, fixed, FORM),
            progress=False,
        )
        assert found.bit_exact, str(found)

    @pytest.mark.parametrize(
        "name", few(builtins(), lambda _: False, lambda name: name not in ("noisy_lif", "adex"))
    )
    def test_every_neurons_netlist_over_adversarial_steps(self, name):
        neuron = make_neuron(name)
        neuron.budget = 1.2 if name == "hodgkin_huxley" else None
        for device in ("up5k", "ecp5-85k"):
            found = netlist_parity(neuron, device, steps=1_000, form=FORM, progress=False)
            assert found.ok, str(found)

    def test_a_reset_in_the_middle_of_a_step(self):
        fixed = Izhikevich().fixed()
        gates = generated(fixed, FORM)
        rst, m = Signal(), Module()
        m.submodules.gates = ResetInserter(rst)(gates)
        seen = []

        async def steps(ctx, clocks=None):
            """The registers after two steps, or what is there so many clocks later."""
            results = []
            ctx.set(gates.i.payload.I, 2560)
            ctx.set(gates.i.valid, 1)
            ctx.set(gates.o.ready, 1)
            for _ in range(clocks or 4 * gates.latency):
                await ctx.tick()
                if ctx.get(gates.o.valid):
                    results.append([ctx.get(gates.state[n]) for n in fixed.lowered.registers])
                    if len(results) == 2:
                        break
            return results

        async def bench(ctx):
            seen.append(await steps(ctx))
            for clocks in (gates.latency // 2, 3, gates.latency - 2):
                await steps(ctx, clocks)
                ctx.set(rst, 1)
                await ctx.tick()
                ctx.set(rst, 0)
                seen.append(await steps(ctx))

        simulator = Simulator(m)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
        assert len(seen) == 4
        assert len(seen[0]) == 2
        assert all(found == seen[0] for found in seen)

    def test_it_takes_as_many_clocks_as_it_says(self):
        fixed = LIF().fixed()
        gates = generated(fixed, FORM)
        assert gates.latency == microcode(fixed.lowered).begin + 4
        clocks = []

        async def bench(ctx):
            ctx.set(gates.o.ready, 1)
            for _ in range(gates.latency):  # until the states are written
                await ctx.tick()
            ctx.set(gates.i.valid, 1)
            while not ctx.get(gates.o.valid):
                await ctx.tick()
                clocks.append(1)

        simulator = Simulator(gates)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
        assert len(clocks) == gates.latency


class TestProof:
    @pytest.mark.parametrize("name", few(builtins(), lambda name: name == "noisy_lif"))
    def test_a_program_and_its_gates_are_proved(self, name):
        fixed = make_neuron(name).fixed(budget=1.2 if name == "hodgkin_huxley" else None)
        for form in (FORM, IN_LOGIC):
            proof = prove(fixed, form, progress=False)
            assert proof.ok, str(proof)
            assert proof.methods["algebra"] >= 8
            assert proof.methods["induction"] >= 11
            assert proof.registers >= 15

    @pytest.mark.parametrize(
        ("old", "new", "claim"),
        planted(
            [
                ("there.eq(fetches & ~ends)", "there.eq(fetches)", "fetches"),
                ("place.eq(place + 1)", "place.eq(place + 2)", "fetches"),
                ("third_at.eq(second_at)", "third_at.eq(address)", "passes"),
                ("op == Op.THERE, pointer", "op == Op.LOAD, pointer", "passes"),
                ("x * word if", "x * (word + 1) if", "multiplies"),
                ("| (second == Op.THERE)", "", "multiplies"),
                ("total >> DIGIT", "total >> (DIGIT + 1)", "adds"),
                ("Op.FIRST, Op.MORE, Op.NEXT", "Op.FIRST, Op.MORE", "adds"),
                ("stored.eq(total[:DIGIT])", "stored.eq(total[: DIGIT + 1])", "writes"),
                ("stored.eq(~total[-1])", "stored.eq(total[-1])", "writes"),
                ("writes & (address == place)", "writes", "states"),
                ("self.o.valid.eq(0)", "self.o.valid.eq(1)", "leaves"),
                ("& (~self.o.valid | self.o.ready)", "", "fetches"),
                ("draws(m, self._fixed, self.i.ready)", "draws(m, self._fixed, 1)", "draws"),
            ],
            lambda fault: fault[-1] in ("passes", "states"),
        ),
    )
    def test_a_fault_in_the_gates_breaks_its_claim(self, old, new, claim):
        fixed = NoisyLIF().fixed()
        results = check(microcoded(rewritten(Microcoded, old, new)(fixed, FORM), fixed))
        assert not any(r.ok for r in results)
        named = {r.name.split(", ")[1] for r in results if r.counterexample}
        assert not named or claim in named, named

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("init=program.begin)", "init=0)"),
            ("name=name, init=r.init)", "name=name, init=r.init + 1)"),
            ("busy = Signal(init=1)", "busy = Signal()"),
        ],
    )
    def test_a_fault_of_the_reset_breaks_its_claim(self, old, new):
        fixed = LIF().fixed()
        results = check(microcoded_reset(rewritten(Microcoded, old, new)(fixed, FORM), fixed))
        assert not all(r.ok for r in results)

    def test_gates_of_another_program_are_not_proved(self):
        class Other(Microcoded):
            def _program(self, fixed):
                program = super()._program(fixed)
                k = next(k for k, (op, _) in enumerate(program.code) if op == Op.LAST)
                code = (*program.code[:k], (Op.STORE, program.code[k][1]), *program.code[k + 1 :])
                return replace(program, code=code)

        fixed = LIF().fixed()
        proof = prove(fixed, FORM, step=Other(fixed, FORM), progress=False)
        assert not proof.ok
        assert any("is not what its words hold" in failure for failure in proof.failures)

    def test_a_memory_with_something_else_is_not_proved(self):
        old = "init=program.words"
        wrong = rewritten(Microcoded, old, f"{old}[:-1] + [0]")
        fixed = LIF().fixed()
        proof = prove(fixed, FORM, step=wrong(fixed, FORM), progress=False)
        assert "the memory code does not hold the program's" in proof.failures


class TestForm:
    def test_a_program_is_held_and_not_folded(self):
        with pytest.raises(ValueError, match="a program takes a held form, and an interval of 1"):
            Form(microcode=True)
        with pytest.raises(ValueError, match="an interval of 1"):
            Form(held=True, interval=4, microcode=True)
        with pytest.raises(TypeError, match="microcode must be True or False"):
            Form(held=True, microcode=1)

    def test_a_program_is_not_a_neuron_that_is_held(self):
        with pytest.raises(ValueError, match="Microcoded"):
            Neuron(LIF().fixed(), FORM)

    def test_a_boards_form(self):
        assert board("icebreaker").with_microcode().form == replace(FORM, multipliers=1)
        assert board("icestick").with_microcode().form == IN_LOGIC
        assert str(IN_LOGIC) == "a program, its multiplier of logic"


class TestCommands:
    def test_parity_and_export(self, tmp_path, capsys):
        assert main(["parity", "lif", "--microcode", "--steps", "20"]) == 0
        assert (
            main(["export", "lif", "--microcode", "--verilog", str(tmp_path), "--steps", "4"]) == 0
        )
        assert "module lif" in (tmp_path / "lif.v").read_text()
        capsys.readouterr()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["parity", "lif", "--neurons", "4"], "leave out --neurons"),
            (
                ["build", "lif", "--board", "icebreaker", "--link", "-o", "x"],
                "leave out --microcode",
            ),
            (["prove", "examples/counts.nir", "--dt", "1"], "examples/counts.nir"),
        ],
    )
    def test_what_is_no_program_says_so(self, arguments, said, capsys):
        assert main([*arguments, "--microcode"]) == 2
        assert said in capsys.readouterr().err

    def test_a_form_is_of_a_neuron(self, tmp_path):
        with pytest.raises(ValueError, match="a form is of a single neuron"):
            export_verilog(Population(LIF(), 2), tmp_path, form=FORM)


@pytest.mark.parametrize(
    ("device", "logic", "dsp"),
    few(
        [("up5k", 400, 1), ("hx8k", 750, 0), ("ecp5-85k", 300, 1)],
        lambda _: False,
        lambda case: case[0] == "hx8k",
    ),
)
def test_a_single_adex_is_small(device, logic, dsp):
    form = replace(FORM, multipliers=min(1, DEVICES[device].dsps))
    found = measure_area(AdEx(), device, form=form)
    assert found["used"]["logic"] <= logic
    assert found["used"].get("dsp", 0) == dsp
    assert found["fmax_mhz"] >= 12


@slow
def test_the_ladder_of_a_program():
    """Up to the netlist; what packs a bitstream, and reads it back, is the same for all."""
    target = board("icebreaker").with_microcode()
    for rung in climb(LIF(), target, steps=1_000, progress=False):
        assert rung.ok, str(rung)
        if rung.name == "netlist":
            break
