"""For a user's test suite: the pytest plugin and the conformance suite."""
