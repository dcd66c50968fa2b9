"""What a thing in gates promises, for all that drives and compares it: a file for each kind.

To add a kind is to write its :class:`~scneuro.sim.contracts.contract.Contract`: what goes in, what
is seen, and what the integers make of the same. Engines run it and parity compares it as it is.
"""
