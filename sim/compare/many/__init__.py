"""Parity of many neurons: populations, layers of stochastic computing, networks."""
