"""Bitstreams through their pins against the integer model.

python benchmarks/bitstreams.py    # ten minutes; prints the table of docs/verification.md
"""

from scneuro.boards import board
from scneuro.load import make_neuron
from scneuro.sim.chip import bitstream_parity

RUNS = (
    ("lif", "ice40_hx8k_b_evn"),
    ("adex", "ice40_hx8k_b_evn"),
    ("lif", "icebreaker"),
    ("lif", "ulx3s_85f"),
    ("adex", "ulx3s_85f"),
)


def main() -> None:
    print(
        "| neuron | board | what runs | steps through the pins | bits compared | differing |\n"
        "|---|---|---|---|---|---|"
    )
    for name, target in RUNS:
        found = bitstream_parity(make_neuron(name), board(target))
        print(
            f"| {found.neuron} | {board(target).title} | {found.what} | {found.steps:,} "
            f"| {found.bits:,} | {found.difference or 0} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
