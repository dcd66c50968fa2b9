"""Stimulus files as spreadsheets and other programs write them."""

import numpy as np
import pytest

from scneuro import ConductanceLIF, cli
from scneuro.errors import FileTrouble
from scneuro.signals.stimulus import load, load_inputs

ONE = {
    "a number per line": b"1\n2.5\n-3e1\n",
    "a header": b"I\n1\n2.5\n-30\n",
    "another header": b"current (nA)\n1\n2.5\n-30\n",
    "a byte order mark": b"\xef\xbb\xbf1\n2.5\n-30\n",
    "both": b'\xef\xbb\xbf"I"\n1\n2.5\n-30\n',
    "comments and empty lines": b"# made by hand\n\n1\n2.5 # here\n\n-30\n",
    "Windows line ends": b"I\r\n1\r\n2.5\r\n-30\r\n",
    "decimal commas": b"I;\n1,0;\n2,5;\n-30,0;\n",
    "quotes": b'"1"\n"2.5"\n"-30"\n',
    "commas at the end": b"1,\n2.5,\n-30,\n",
}


@pytest.mark.parametrize("kind", ONE)
def test_one_column_is_read_however_it_is_written(tmp_path, kind):
    path = tmp_path / "i.csv"
    path.write_bytes(ONE[kind])
    assert load(path).tolist() == [1.0, 2.5, -30.0]
    assert {n: v.tolist() for n, v in load_inputs(path, ["I", "J"]).items()} == {
        "I": [1.0, 2.5, -30.0]
    }


SEVERAL = {
    "in their order": b"1,2\n3,4\n",
    "by name": b"I,J\n1,2\n3,4\n",
    "by name in another order": b"J,I\n2,1\n4,3\n",
    "between semicolons": b"J;I\n2,0;1,0\n4,0;3,0\n",
    "between tabs": b"I\tJ\n1\t2\n3\t4\n",
    "with spaces": b"I, J\n1, 2\n3, 4\n",
}


@pytest.mark.parametrize("kind", SEVERAL)
def test_several_columns_are_several_inputs(tmp_path, kind):
    path = tmp_path / "i.csv"
    path.write_bytes(SEVERAL[kind])
    found = load_inputs(path, ["I", "J"])
    assert {n: v.tolist() for n, v in found.items()} == {"I": [1.0, 3.0], "J": [2.0, 4.0]}
    with pytest.raises(FileTrouble, match="has 2 columns, not one"):
        load(path)


def test_a_column_named_after_another_input_drives_that(tmp_path):
    path = tmp_path / "i.csv"
    path.write_text("J\n1\n2\n")
    assert list(load_inputs(path, ["I", "J"])) == ["J"]


def test_the_columns_of_an_array_are_inputs_too(tmp_path):
    np.save(tmp_path / "i.npy", np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert load_inputs(tmp_path / "i.npy", ["I", "J"])["J"].tolist() == [2.0, 4.0]
    np.save(tmp_path / "i.npy", np.array([[1.0], [3.0]]))
    assert load(tmp_path / "i.npy").tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"t,I\n0,1\n", "column 't' is no input"),
        (b"1,2,3\n", "has 3 columns for 2 inputs"),
        (b"I,I\n1,2\n", "column 'I' is there twice"),
        (b"1\n2,3\n", "line 2 has 2 numbers, not 1"),
        (b"I,J\n1\n", "line 2 has 1 numbers, not 2"),
        (b"I\n1\nx\n", "line 3: could not convert string to float: 'x'"),
        (b"I\n", "there are no numbers in it"),
        (b"", "it is empty"),
        (b"1\nnan\n", "nan at index (1,)"),
        (b"\xff\xfe1\x00\n", "no stimulus"),
    ],
)
def test_what_is_no_stimulus_is_refused_with_the_line(tmp_path, content, words):
    path = tmp_path / "i.csv"
    path.write_bytes(content)
    with pytest.raises(FileTrouble) as caught:
        load_inputs(path, ["I", "J"])
    assert words in caught.value.message


def test_the_command_line_drives_every_input_of_a_file(tmp_path, capsys):
    path = tmp_path / "g.csv"
    both = np.array([[0.5, 0.0]] * 300 + [[2.0, 0.25]] * 300)
    lines = [f"{a};{b}".replace(".", ",") for a, b in both]
    path.write_text("\n".join(["I_exc;I_inh", *lines]), encoding="utf-8-sig")
    saved = tmp_path / "t.npz"
    for backend in ("float", "fixed"):
        arguments = ["simulate", "ConductanceLIF", "--backend", backend, "-o", str(saved)]
        assert cli.main([*arguments, "--stimulus", str(path)]) == 0
        traces = np.load(saved)
        assert np.array_equal(traces["I_exc"], both[:, 0])
        assert np.array_equal(traces["I_inh"], both[:, 1])
    expected = ConductanceLIF().fixed().run(I_exc=both[:, 0], I_inh=both[:, 1])
    assert np.array_equal(traces["V"], expected.V)
    assert cli.main(["parity", "conductance_lif", "--stimulus", str(path), "--steps", "200"]) == 0
    assert "200 steps" in capsys.readouterr().out
