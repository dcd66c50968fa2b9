"""Steps a second of the compiled engine and of Amaranth's simulator, on the same gates.

``python benchmarks/engines.py [NEURON ...]``; compile time is counted separately.
"""

import sys
import tempfile
import time
from pathlib import Path

from scneuro.hdl import build
from scneuro.load import make_neuron
from scneuro.signals.stimulus import adversarial
from scneuro.sim import compiled_steps, simulate_steps
from scneuro.sim.engines.compiled import compile_hardware
from scneuro.words import quantize

SLOW, FAST = 1_000, 200_000


def main(names: list[str]) -> None:
    print("| neuron | Amaranth, steps/s | cxxrtl, steps/s | ratio | compiled in, s |")
    print("|---|---|---|---|---|")
    for name in names:
        neuron = make_neuron(name)
        fixed = neuron.fixed()
        words = {n: quantize(adversarial(FAST), n) for n in fixed.lowered.inputs}
        few = {n: values[:SLOW] for n, values in words.items()}
        begin = time.perf_counter()
        slow = list(simulate_steps(build(neuron, fixed), fixed, few))
        amaranth = SLOW / (time.perf_counter() - begin)
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            library = compile_hardware(build(neuron, fixed), cache=Path(folder))
            compiling = time.perf_counter() - begin
            begin = time.perf_counter()
            fast = list(compiled_steps(None, fixed, words, library=library))
            cxxrtl = FAST / (time.perf_counter() - begin)
        assert fast[:SLOW] == slow, "the engines differ"
        ratio = cxxrtl / amaranth
        print(f"| {name} | {amaranth:,.0f} | {cxxrtl:,.0f} | {ratio:.0f} | {compiling:.1f} |")


if __name__ == "__main__":
    main(sys.argv[1:] or ["lif", "izhikevich", "adex", "hodgkin_huxley"])
