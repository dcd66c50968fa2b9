"""Planted faults: one set for every test, and the rung that catches each.

A fault in the lowering makes model and gates wrong alike, so it is for the rungs that look at the
integer model: ``error`` (the lowering refuses, or a table is addressed beyond its rows), ``step``
(level 2, by the bounds of the sound lowering), ``trace`` (level 3), ``recompute`` (the rung
"rounding"), ``reset`` (the proof of resets), and ``proof``, which shows that no value leaves its
interval. A fault in the gates is for ``bits`` (level 1, by simulation of random vectors and a run),
for ``ties`` (level 1 with vectors on both sides of every decision), and for the proof, each on its
own.

A fault that nothing catches must be shown to be none: for the gates the proof says so, for the
lowering the solver shows that both datapaths compute the same. Anything else is a hole.

``cd tests && python -m faults [--neuron NAME] [--seed N] [--jobs N] [--json]`` plants them all and
prints the tables of docs/verification.md.
"""
