"""Bitstreams to boards, with programmers that only write down how they were called."""

import hashlib
import json
import subprocess
import sys
from contextlib import contextmanager

import pytest

from scneuro import ToolError, cli
from scneuro.boards import BOARDS, board, flash
from scneuro.errors import FileTrouble
from scneuro.tools import toolchain


@pytest.fixture
def programmers(tmp_path, monkeypatch):
    """All programmers on PATH; returns what the last call was given, or an earlier one."""
    folder, log = tmp_path / "bin", tmp_path / "calls.json"
    folder.mkdir()
    for name in ("iceprog", "openFPGALoader", "icesprog", "dfu-util", "cp"):
        path = folder / name
        path.write_text(
            f"#!{sys.executable}\nimport json, os, sys\n"
            f"print(json.dumps([{name!r}, *sys.argv[1:]]), file=open({str(log)!r}, 'a'))\n"
            "sys.exit(int(os.environ.get('FAILS', 0)))\n"
        )
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))

    def call(number=-1):
        calls = log.read_text().splitlines() if log.exists() else []
        return json.loads(calls[number]) if calls else None

    return call


@pytest.fixture
def built(tmp_path):
    """A bitstream of a board and its report, as a build leaves them."""

    def make(name, content=None):
        target = board(name)
        content = b"\xff\x00\x00\xff" + target.part.family.mark + b"\1" * 900 if content is None \
            else content  # fmt: skip
        path = tmp_path / f"lif-{name}{target.suffix}"
        path.write_bytes(content)
        report = {"board": name, "sha256": hashlib.sha256(content).hexdigest()}
        path.with_suffix(".json").write_text(json.dumps(report))
        return path

    return make


BY_OPENOCD = {"ecp5_5g_evn", "versa_ecp5", "versa_ecp5_5g"}  # in amaranth-boards


@pytest.mark.parametrize("name", BOARDS)
def test_the_programmer_of_the_board_is_run(name, built, programmers, capsys):
    path = built(name)
    assert cli.main(["flash", str(path)]) == 0
    tool, *options = BOARDS[name].program.split()
    options = options if "FILE" in options else [*options, "FILE"]
    assert programmers() == [tool, *(str(path) if o == "FILE" else o for o in options)]
    assert f"is on the {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in BOARDS if name not in BY_OPENOCD])
def test_it_is_run_as_amaranth_boards_runs_it(name, built, programmers, monkeypatch):
    path, calls = built(name), []

    class Products:
        @contextmanager
        def extract(self, file):
            assert file == f"top{BOARDS[name].suffix}"
            yield str(path)

    monkeypatch.setattr(subprocess, "check_call", calls.append)
    BOARDS[name].make_platform().toolchain_program(Products(), "top")
    flash(path)
    assert [programmers()] == calls


def test_the_board_is_named_where_there_is_no_report(built, programmers, capsys):
    path = built("icebreaker")
    path.with_suffix(".json").unlink()
    assert cli.main(["flash", str(path)]) == 2
    assert "name it with --board" in capsys.readouterr().err
    assert programmers() is None
    assert cli.main(["flash", str(path), "--board", "icebreaker", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["board"] == "icebreaker"
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert told["command"][1:] == programmers()[1:] == [str(path)]


@pytest.fixture
def with_weights(built):
    """The same of a board whose flash is to have weights, too."""

    def make(name="icebreaker"):
        path = built(name)
        weights = path.with_suffix(".weights.bin")
        weights.write_bytes(b"weights")
        report = json.loads(path.with_suffix(".json").read_text())
        report |= {"weights": f"elsewhere/{weights.name}", "weights_offset": 1 << 20}
        report["weights_sha256"] = hashlib.sha256(b"weights").hexdigest()
        path.with_suffix(".json").write_text(json.dumps(report))
        return path, weights

    return make


@pytest.mark.parametrize(("name", "tool"), [("icebreaker", "iceprog"), ("icesugar", "icesprog")])
def test_the_flash_is_given_the_weights_and_then_the_bitstream(
    name, tool, with_weights, programmers, capsys
):
    path, weights = with_weights(name)
    assert cli.main(["flash", str(path), "--json"]) == 0
    assert programmers(0) == [tool, "-o", "0x100000", str(weights)]
    assert programmers(1) == programmers() == [tool, str(path)]
    told = json.loads(capsys.readouterr().out)
    assert told["weights"] == str(weights)
    assert told["weights_command"][1:] == programmers(0)[1:]
    assert told["command"][1:] == [str(path)]
    assert str(flash(path)).endswith(f"is on the {name}, and {weights} in its flash")


def test_a_bitstream_without_its_weights_is_not_sent(with_weights, programmers, monkeypatch):
    path, weights = with_weights()
    weights.write_bytes(b"Weights")
    with pytest.raises(FileTrouble, match=r"weights\.bin is not the weights that the report"):
        flash(path)
    weights.unlink()
    with pytest.raises(FileTrouble, match=r"cannot read .*weights\.bin: No such file") as caught:
        flash(path)
    assert caught.value.hint == "build it again: weights and bitstream belong together"
    assert programmers() is None
    path, weights = with_weights()
    monkeypatch.setenv("FAILS", "1")
    with pytest.raises(ToolError, match=r"iceprog failed with code 1: .* -o 0x100000"):
        flash(path)
    assert programmers(0) == programmers()  # then the bitstream stays as it is


def test_what_is_not_for_the_board_is_not_sent(built, programmers, tmp_path):
    path = built("icebreaker")
    with pytest.raises(FileTrouble, match="is for icebreaker, not for ulx3s_85f"):
        flash(path, "ulx3s_85f")
    path.with_suffix(".json").unlink()
    with pytest.raises(FileTrouble, match="is no bitstream of an ECP5"):
        flash(path, "ulx3s_85f")
    for content in (b"", b"\x7eELF" * 300):
        with pytest.raises(FileTrouble, match="is no bitstream of an iCE40"):
            flash(built("icebreaker", content))
    with pytest.raises(FileTrouble, match=r"cannot read .*nothing\.bin: No such file"):
        flash(tmp_path / "nothing.bin")
    with pytest.raises(ValueError, match="no board 'papilio'"):
        flash(path, "papilio")
    assert programmers() is None


def test_a_bitstream_that_was_changed_is_not_sent(built, programmers):
    path = built("icebreaker")
    path.write_bytes(path.read_bytes()[:-1] + b"\2")
    with pytest.raises(FileTrouble, match="its SHA-256 is another"):
        flash(path)
    assert programmers() is None


def test_a_programmer_that_fails_fails_the_command(built, programmers, monkeypatch, capfd):
    monkeypatch.setenv("FAILS", "1")
    path = built("ulx3s_85f")
    assert cli.main(["flash", str(path)]) == 2
    error = capfd.readouterr().err
    assert "openFPGALoader failed with code 1" in error
    assert "plugged in" in error


@pytest.mark.parametrize(
    ("name", "package"),
    [("icebreaker", "apt install fpga-icestorm"), ("ulx3s_85f", "apt install openfpgaloader")],
)
def test_a_missing_programmer_is_said_with_where_to_get_it(name, package, built, monkeypatch):
    monkeypatch.setattr(toolchain, "_candidates", lambda name: [])
    with pytest.raises(ToolError, match=f"no {BOARDS[name].program.split()[0]}: ") as error:
        flash(built(name))
    assert package in error.value.hint
