"""The climber's body over time: clean motion, joint angles, centre of gravity."""
