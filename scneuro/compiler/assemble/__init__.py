"""Assembly: canonical sums become integer operations.

The number rules, in the order they are applied:

* A **coefficient** keeps a significand of 16 bits, or as many as its share of the budget asks for,
  with a binary point of its own. One near 1 is kept as 1 plus a small coefficient. Coefficients in
  a simple ratio share one multiplier (``coefficients.py``).
* **Sums and products are exact** (``sums.py``, ``products.py``). The operands of a product of two
  values are these rounded to 16 bits, or finer where their share asks for it; that of a coefficient
  is the whole register, without the low bits whose part in the result is below 1/64 of the result's
  LSB.
* Each state is **rounded once**, when it is written; then it saturates (``states.py``). A
  comparison with what a state is about to become compares the rounded value.

``assembly.py`` goes through the terms, and has each made of what it is made of.
"""

from .assembly import assemble
from .plan import Assembled, Plan

__all__ = ["Assembled", "Plan", "assemble"]
