"""Where every value lies, what of it matters, and how far off it may be."""
