"""Other simulators, timed: a script for the Python that has one of them, JSON in, JSON out.

A job names a ``simulator``, a ``neuron``, ``neurons``, ``steps``, whether ``traces`` are kept, and
what that simulator needs besides. The answer is by way of running: updates a second, best of three.
scneuro is not needed here, and is not imported.
"""

import json
import os
import shutil
import sys
import tempfile
import time

REPEATS = 3


def rate(function, updates):
    """Updates a second, best of some."""
    best = 0.0
    for _ in range(REPEATS):
        begin = time.perf_counter()
        function()
        best = max(best, updates / (time.perf_counter() - begin))
    return best


def brian2_network(job):
    import brian2

    constants = "".join(f"\n{name} : 1 (constant)" for name in job["parameters"])
    group = brian2.NeuronGroup(
        job["neurons"],
        job["equations"] + constants,
        threshold=job["threshold"],
        reset=job["reset"],
        refractory=job["refractory"],
        method=job["method"],
        dt=job["dt"] * brian2.ms,
    )
    for name, value in {**job["parameters"], **job["start"]}.items():
        setattr(group, name, value)
    network = brian2.Network(group, brian2.SpikeMonitor(group))
    if job["traces"]:
        network.add(brian2.StateMonitor(group, job["states"], record=True))
    return network


def brian2_runtime(job, target):
    import brian2

    brian2.prefs.codegen.target = target
    network = brian2_network(job)
    network.run(10 * job["dt"] * brian2.ms)  # whatever is compiled is compiled here
    steps = job["slow_steps"]
    return rate(lambda: network.run(steps * job["dt"] * brian2.ms), job["neurons"] * steps)


def brian2_standalone(job, threads):
    """Of the program that is built, the time it says its loop took."""
    import brian2

    folder = tempfile.mkdtemp()
    try:
        brian2.set_device("cpp_standalone", build_on_run=False, directory=folder)
        brian2.device.reinit()
        brian2.device.activate(build_on_run=False, directory=folder)
        brian2.prefs.devices.cpp_standalone.openmp_threads = threads
        network = brian2_network(job)
        network.run(job["steps"] * job["dt"] * brian2.ms)
        brian2.device.build(compile=True, run=False, directory=folder)
        best = 0.0
        for _ in range(REPEATS):
            brian2.device.run(folder, with_output=False, run_args=[])
            took = brian2.device._last_run_time
            best = max(best, job["neurons"] * job["steps"] / took)
        return best
    finally:
        brian2.set_device("runtime")
        shutil.rmtree(folder, ignore_errors=True)


def brian2_rates(job):
    found = {target: brian2_runtime(job, target) for target in ("numpy", "cython")}
    found["C++ standalone"] = brian2_standalone(job, 0)
    if job["neurons"] > 1 and (os.cpu_count() or 1) > 1:
        found[f"C++ standalone, {os.cpu_count()} threads"] = brian2_standalone(job, os.cpu_count())
    return found


def sc_neurocore_rates(job):
    """Its own equations and parameters: a run in one call, or a population step by step."""
    import numpy as np
    import sc_neurocore_engine as engine

    if job["neurons"] == 1:
        current = np.full(job["steps"], job["current"])
        call = engine.py_batch_simulate
        return {"run": rate(lambda: call(job["model"], job["steps"], current), job["steps"])}
    runner = engine.NetworkRunner()
    population = runner.add_population(job["model"], job["neurons"])
    current = np.full(job["neurons"], job["current"])

    def run():
        for _ in range(job["steps"]):
            runner.step_population(population, current)

    return {"population": rate(run, job["neurons"] * job["steps"])}


def main():
    job = json.load(sys.stdin)
    rates = {"brian2": brian2_rates, "sc-neurocore": sc_neurocore_rates}[job["simulator"]]
    out = os.dup(1)
    os.dup2(2, 1)  # what compilers say is no answer
    answer = json.dumps(rates(job))
    os.write(out, answer.encode())


if __name__ == "__main__":
    main()
