"""Videos as phones make them, turned into upright frames with timestamps."""
