"""What a chip does, watched while it does it: what is seen, its page, its figure."""
