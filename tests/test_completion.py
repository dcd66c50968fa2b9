"""What a shell completes, by argcomplete's own protocol."""

import os
import subprocess
import sys

import pytest

from scneuro.boards import BOARDS


@pytest.fixture
def completed(tmp_path):
    """The words that a shell is offered at the end of a line."""

    def complete(line):
        answer = tmp_path / "answer"
        environment = os.environ | {
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
            "_ARGCOMPLETE_IFS": "\n",
            "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
            "COMP_TYPE": "9",
        }
        done = subprocess.run(
            [sys.executable, "-m", "scneuro"], env=environment, capture_output=True, text=True
        )
        assert done.stdout == ""
        return set(answer.read_text().split("\n"))

    return complete


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("scneuro sim", {"simulate"}),
        ("scneuro show ad", {"adex"}),
        ("scneuro build adex --board ice", {name for name in BOARDS if name.startswith("ice")}),
        ("scneuro explore adex --board ulx", {f"ulx3s_{size}f" for size in (12, 25, 45, 85)}),
        ("scneuro explore adex --int", {"--intervals"}),
        ("scneuro simulate adex --preset ton", {"tonic"}),
        ("scneuro simulate adex --set ta", {"tau_w="}),
        ("scneuro simulate conductance_lif --input ", {"I_exc=", "I_inh="}),
        ("scneuro simulate adex --init ", {"V=", "w="}),
        ("scneuro simulate adex --backend c", {"cxxrtl"}),
        ("scneuro simulate nothing --set ta", {""}),
    ],
)
def test_a_shell_is_offered_what_could_be_typed(completed, line, offered):
    assert completed(line) == offered


def test_files_are_offered_for_a_neuron_of_ones_own(completed, tmp_path):
    (tmp_path / "mine.py").touch()
    assert completed(f"scneuro show {tmp_path}/mi") == {f"{tmp_path}/mine.py"}
