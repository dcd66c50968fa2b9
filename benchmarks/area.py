"""What the built-in neurons cost: the neuron itself, and the whole board design.

python benchmarks/area.py          # about five minutes; prints the tables of docs/numbers.md
"""

import tempfile

from scneuro import LIF, AdEx, Izhikevich, Neuron
from scneuro.boards import BOARDS, build_bitstream
from scneuro.boards.area import measure_area

DEVICES = ("hx8k", "up5k", "ecp5-85k")
MEASURED = ("icebreaker", "ice40_hx8k_b_evn", "ulx3s_85f")


def main() -> None:
    print("| neuron alone | " + " | ".join(DEVICES) + " |\n|" + "---|" * (len(DEVICES) + 1))
    for neuron in (LIF(), Izhikevich(), AdEx()):
        cells = []
        for device in DEVICES:
            area = measure_area(neuron, device)
            used = ", ".join(f"{count} {kind}" for kind, count in area["used"].items() if count)
            cells.append(f"{used}, {area['fmax_mhz']} MHz")
        print(f"| {neuron.name} | " + " | ".join(cells) + " |", flush=True)
    print("\n| board design | " + " | ".join(MEASURED) + " |\n|" + "---|" * (len(MEASURED) + 1))
    with tempfile.TemporaryDirectory() as folder:
        for neuron in (LIF(), Izhikevich(), AdEx()):
            cells = [placed(neuron, name, folder) for name in MEASURED]
            print(f"| {neuron.name} | " + " | ".join(cells) + " |", flush=True)
        print("\n| LIF on | device | |\n|---|---|---|")
        for name, row in BOARDS.items():
            print(f"| `{name}` | {row.device} | {placed(LIF(), name, folder)} |", flush=True)


def placed(neuron: Neuron, name: str, folder: str) -> str:
    """What a neuron's design takes on a board."""
    report = build_bitstream(neuron, BOARDS[name], folder)
    used = ", ".join(f"{v['used']} {k}" for k, v in report.utilization.items())
    return f"{used}, {report.fmax_mhz} of {report.clock_mhz:g} MHz"


if __name__ == "__main__":
    main()
