"""What it takes to prove every neuron's gates, in each of their four forms.

python benchmarks/proofs.py    # two minutes; prints the table of docs/verification.md
"""

import math

from scneuro.load import make_neuron
from scneuro.neurons import builtins
from scneuro.sim.proof import prove

FORMS = {
    "single, DSP": {"held": True, "dsp": True},
    "single, logic": {"held": True, "dsp": False},
    "pipelined, DSP": {"held": False, "dsp": True},
    "pipelined, logic": {"held": False, "dsp": False},
}


def main() -> None:
    print(f"| neuron | states | inputs and draws | {' | '.join(f'{f}, s' for f in FORMS)} |")
    print("|---" * (3 + len(FORMS)) + "|")
    for name in builtins():
        fixed = make_neuron(name).fixed()
        found = [prove(fixed, progress=False, **form) for form in FORMS.values()]
        sizes = [f"2^{math.log2(n):.1f}" for n in (found[0].states, found[0].inputs)]
        seconds = [f"{f.seconds:.1f}" if f.ok else "NOT PROVED" for f in found]
        print(f"| {' | '.join([fixed.name, *sizes, *seconds])} |", flush=True)


if __name__ == "__main__":
    main()
