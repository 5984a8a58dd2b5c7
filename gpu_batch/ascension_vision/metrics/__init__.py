"""Numbers about a climb, each with its unit, its source, or the reason why it is missing."""
