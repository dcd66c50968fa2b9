"""What tests of a search have in common: a crew that is this process, and tools that pretend."""

import sys
from contextlib import nullcontext

from scneuro import cli
from scneuro.boards import board
from scneuro.sim.explore import Point
from scneuro.sim.explore.jobs import Job

HX8K = board("ice40_hx8k_b_evn")

STEPS = "300"

MINE = """
import numpy as np
from scneuro import Input, Neuron, State

class Mine(Neuron):
    V = State(unit="mV")
    I = Input(unit="mV")
    currents = (20.0,)

    def update(self, V, I):
        V = V + 0.0125 * (I - V)
        return V >= 10.0, np.where(V >= 10.0, 0.0, V)
"""
JOBS = [Job(Point()), *(Job(Point(), seed) for seed in range(1, 6))]


class Here:
    """A crew of this process alone."""

    def each(self, function, *given):
        return [function(*given)]

    def answers(self, function, calls):
        for name, given in calls.items():
            yield name, function(*given)


def hire(*_):
    return nullcontext(Here())


def pretend_tools(tmp_path, monkeypatch):
    """Tools that only pretend: more text takes more cells, and a higher seed is faster."""
    folder = tmp_path / "tools"
    folder.mkdir()
    bodies = {
        "yosys": (
            "Yosys 0.60",
            "text = pathlib.Path('top.il').read_text()\n"
            "cells = 100 + len(text) // 50\n"
            "stat = {'design': {'num_cells_by_type': {'SB_LUT4': cells, 'SB_DFF': 9}}}\n"
            "pathlib.Path('stat.json').write_text(json.dumps(stat))\n"
            "pathlib.Path('top.json').write_text('{}')\n",
        ),
        "nextpnr-ice40": (
            "nextpnr-ice40 (Version nextpnr-0.8)",
            "seed = sys.argv[sys.argv.index('--seed') + 1]\n"
            "time.sleep(float(os.environ.get('PRETENDED_SECONDS', '0')))\n"
            "stat = json.loads(pathlib.Path('stat.json').read_text())\n"
            "used = stat['design']['num_cells_by_type']['SB_LUT4']\n"
            "report = {'fmax': {'clk': {'achieved': 50.0 + int(seed), 'constraint': 12.0}},\n"
            "    'utilization': {'ICESTORM_LC': {'used': used, 'available': 7680},\n"
            "                    'ICESTORM_RAM': {'used': 4, 'available': 32}}}\n"
            "pathlib.Path('report.json').write_text(json.dumps(report))\n"
            "pathlib.Path('top.asc').write_text(seed)\n"
            "if 'PRETENDED_LOG' in os.environ:\n"
            "    with open(os.environ['PRETENDED_LOG'], 'a') as log: print(seed, file=log)\n",
        ),
        "icepack": ("", "pathlib.Path(sys.argv[-1]).write_text('bits')\n"),
    }
    for name, (version, body) in bodies.items():
        path = folder / name
        path.write_text(
            f"#!{sys.executable}\nimport sys, json, os, time, pathlib\n"
            "if len(sys.argv) == 2 and sys.argv[1] in ('-V', '--version'):\n"
            f"    print({version!r})\n    sys.exit()\n{body}"
        )
        path.chmod(0o755)
        monkeypatch.setenv(name.upper().replace("-", "_"), str(path))
    monkeypatch.setenv("SCNEURO_CACHE", str(tmp_path / "cache"))
    return folder


def run(capsys, line):
    """(exit code, standard output, standard error) of ``scneuro explore``."""
    try:
        code = cli.main(["explore", *line.split()])
    except SystemExit as stopped:
        code = stopped.code
    out, err = capsys.readouterr()
    return code, out, err


def refused(capsys, line):
    """The message and the way out of a command that must exit with 2 and print nothing else."""
    code, out, err = run(capsys, line)
    assert (code, out) == (2, "")
    return err


def compared(share=1.0):
    """What a fidelity job answers, where this share of the currents has the same spikes."""
    currents = [0.5 * k for k in range(20)]
    equal = round(share * 20)
    return {
        "fidelity": {
            "equal_counts": equal,
            "of": 20,
            "equal_share": share,
            "largest_difference": 20 - equal,
            "coincidence": 0.5 + share / 2,
            "worst_first_spike_ms": 1 - share,
            "currents": currents,
            "float_spikes": list(range(20)),
            "spikes": [k + (k >= equal) for k in range(20)],
            "coincidences": [None, *[share] * 19],
            "first_spike_ms": [None, *[1 - share] * 19],
            "duration_ms": 1000.0,
        },
        "states": [
            {
                "name": "V",
                "unit": "mV",
                "word": "Q8.8",
                "guard_bits": 8,
                "bits": 24,
                "step_error_bound_lsb": 0.01,
                "step_error_budget_lsb": 1.0,
                "note": "",
            }
        ],
        "tables": [],
        "notes": [],
    }
