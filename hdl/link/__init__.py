"""The link in gates: frames, requests, and the steps that they ask for."""
