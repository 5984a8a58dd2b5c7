"""How the hold detector was trained: ``python -m training.holds``."""
