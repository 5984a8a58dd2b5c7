"""The wall's plane, its angle, and metres on it."""
