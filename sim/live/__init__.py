"""A board that is simulated: its compiled design behind a port, as a driver finds any board."""
