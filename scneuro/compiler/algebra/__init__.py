"""What an update computes, as terms that are equal where they are the same."""
