"""Updates a second in software: NumPy, the compiled engine, Brian2 and sc-neurocore, in one run.

    python benchmarks/software.py [--json FILE] [--no-peers] [NEURON ...]

One neuron and 10,000, spikes alone and with all states; each figure is the best of three, in
millions of updates (neurons times steps) a second, everything from the call to the recording. The
peers get environments of their own, in the user's cache folder. Brian2 integrates the same
equations with the same step, by Euler's method; its fastest way of running is taken, and of its C++
program only the loop counts. sc-neurocore's models have equations and parameters of their own. Let
nothing else run meanwhile: the load before and after is printed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from importlib.metadata import version
from pathlib import Path

import numpy as np

from scneuro.load import make_neuron
from scneuro.reference.equations import equations_of
from scneuro.tools.files import cache_folder

NEURONS = ["lif", "izhikevich", "adex", "hodgkin_huxley"]
REPEATS = 3
#: Neurons, steps compiled, steps of NumPy.
SIZES = [(1, 10_000_000, 20_000), (10_000, 1_000, 100)]
PEERS = {
    "brian2": ["brian2", "setuptools", *(["numpy<2"] if sys.version_info < (3, 12) else [])],
    "sc-neurocore": ["sc-neurocore", "sc-neurocore-engine"],
}
MODELS = {"izhikevich": "Izhikevich", "adex": "AdEx", "hodgkin_huxley": "HodgkinHuxley"}
MODELS["lif"] = "ParametricLIF"


def environment(peer):
    """The Python of a peer, made if it is not there."""
    folder = cache_folder("peers") / f"peer-{peer}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "done").exists():
        print(f"making an environment with {', '.join(PEERS[peer])} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *PEERS[peer]], check=True)
        (folder / "done").touch()
    return python


def asked(python, job):
    """What a peer answers; an empty answer says why on standard error."""
    script = Path(__file__).with_name("peers.py")
    done = subprocess.run(
        [python, script], input=json.dumps(job), capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"{job['simulator']}, {job['neuron']}: {done.stderr[-600:]}", file=sys.stderr)
        return {}
    return json.loads(done.stdout)


def rate(runner, current, steps, neurons, **options):
    """Updates a second of a run, best of three, once it is compiled."""
    held = np.full(steps, current) if neurons == 1 else np.full((1, neurons), current)
    values = held if neurons == 1 else np.broadcast_to(held, (steps, neurons))
    best = 0.0
    for _ in range(REPEATS + 1):
        begin = time.perf_counter()
        recording = runner.run(values, progress=False, **options)
        best = max(best, neurons * steps / (time.perf_counter() - begin))
        del recording
    return best


def ours(neuron, neurons, fast, slow, record):
    models = {"integers": neuron.fixed(), "float": neuron}
    current = neuron.currents[0]
    return {
        f"{name}, {engine}": rate(model, current, steps, neurons, engine=engine, record=record)
        for name, model in models.items()
        for engine, steps in (("numpy", slow), ("compiled", fast))
    }


def brian_job(neuron, neurons, fast, slow, traces):
    equations = equations_of(neuron)
    first = next(iter(neuron.input_defaults))
    constants = {n: v for n, v in neuron.parameters.items() if n != "dt"}
    written = equations.brian
    # the reference lets the spike of AdEx run on for as long as it can; update() cuts it at V_peak
    text = written.equations.replace("clip((V - V_T)/Delta_T, -1000, 10)", "(V - V_T)/Delta_T")
    return {
        "equations": text,
        "threshold": written.threshold.replace("x >= 10", "V >= V_peak"),
        "reset": written.reset,
        "refractory": written.refractory,
        "parameters": constants | {first: neuron.currents[0]},
        "start": dict(zip(equations.states, equations.start(neuron), strict=True)),
        "states": list(equations.states),
        "method": "euler",
        "dt": neuron.dt,
        "steps": min(fast, 1_000_000) if not traces else min(fast, 200_000),
        "slow_steps": slow // 10 if neurons == 1 else slow,
    }


def compile_times(neuron):
    """Seconds to compile an integer run, and to load it, each in a process of its own."""
    program = (
        "import sys, time\n"
        "from scneuro.load import make_neuron\n"
        "from scneuro.engine.kernel import compiled\n"
        "import numba\n"
        f"body = make_neuron({neuron!r}).fixed()._body()\n"
        "for many in (False, True):\n"
        "    begin = time.perf_counter()\n"
        "    compiled(body, many=many)\n"
        "    print(time.perf_counter() - begin)\n"
    )
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        runs = [
            subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "SCNEURO_CACHE": folder},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split()
            for _ in range(2)
        ]
    return [[float(x) for x in run] for run in runs]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("neurons", nargs="*", default=NEURONS, metavar="NEURON")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args(arguments)
    figures = {
        "load": [os.getloadavg()[0]] if hasattr(os, "getloadavg") else [],
        "cores": os.cpu_count(),
        "numpy": version("numpy"),
        "numba": version("numba"),
        "rows": [],
    }
    pythons = {} if options.no_peers else {peer: environment(peer) for peer in PEERS}
    for name in options.neurons or NEURONS:
        neuron = make_neuron(name)
        first, again = compile_times(name)
        print(
            f"\n{name}: compiled in {first[0]:.1f} s for one neuron and {first[1]:.1f} s for many, "
            f"from the cache in {again[0]:.2f} and {again[1]:.2f} s"
        )
        for neurons, fast, slow in SIZES:
            for record in ((), None):
                row = ours(neuron, neurons, fast // (1 if record == () else 4), slow, record)
                job = {"neuron": name, "neurons": neurons, "traces": record is None}
                if "brian2" in pythons:
                    asked_for = brian_job(neuron, neurons, fast, slow, record is None)
                    found = asked(pythons["brian2"], {"simulator": "brian2", **job, **asked_for})
                    row |= {f"Brian2, {target}": figure for target, figure in found.items()}
                if "sc-neurocore" in pythons:
                    theirs = {"simulator": "sc-neurocore", "model": MODELS[name], "current": 10.0}
                    theirs["steps"] = 200_000 if neurons == 1 else 100
                    if name == "hodgkin_huxley":
                        theirs["steps"] //= 50
                    found = asked(pythons["sc-neurocore"], {**job, **theirs})
                    row |= {f"sc-neurocore, {way}": figure for way, figure in found.items()}
                figures["rows"].append({"neuron": name, "neurons": neurons, **job, "rates": row})
                kept = "all states" if record is None else "spikes"
                base = row["integers, compiled"]
                print(f"\n{name}, {neurons:,} neurons, {kept}")
                for way, figure in row.items():
                    ratio = f"integers compiled are {base / figure:10.2f} times as fast"
                    print(f"  {way:34s} {figure / 1e6:9.3f} M/s   {ratio}")
    if hasattr(os, "getloadavg"):
        figures["load"].append(os.getloadavg()[0])
    print(f"\nload before and after: {figures['load']}, {figures['cores']} cores")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
