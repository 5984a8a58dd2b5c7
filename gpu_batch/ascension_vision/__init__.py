"""Ascension's analysis: a climbing video in, poses, holds, contacts, metrics out. Knows nothing of AWS."""
