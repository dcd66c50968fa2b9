"""Whole runs: as one compiled function, or step by step in NumPy, and what they leave behind."""
