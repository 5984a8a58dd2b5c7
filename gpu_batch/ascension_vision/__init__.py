"""Ascension's analysis: a climbing video in, poses, holds, contacts, metrics out. Knows nothing of AWS."""

__version__ = "0.1.0"
