"""Which limb was on which hold, from when to when."""
