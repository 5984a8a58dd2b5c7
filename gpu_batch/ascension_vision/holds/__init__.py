"""Holds and volumes: found, told apart, and coloured."""
