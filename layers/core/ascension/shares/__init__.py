"""Links that show one analysis to whoever has them, until they expire or are revoked."""
