"""Who uses Ascension: users, their passwords, sessions and tiers."""
