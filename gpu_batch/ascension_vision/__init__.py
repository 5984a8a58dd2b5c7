"""Ascension's analysis: a climbing video in, poses, holds, contacts, metrics out. Knows nothing of AWS."""

import os

__version__ = "0.1.0"

# PyTorch's OpenMP threads spin while they wait for each other. Where anything else runs on the same cores, and decoding
# does, that makes inference several times slower: let them sleep. OpenMP reads this when PyTorch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
