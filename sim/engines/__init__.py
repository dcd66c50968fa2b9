"""What simulates gates: Amaranth's simulator, or a compiled program."""
