"""The Ghost Climber: the same body on the same holds, moving better, and the proof that a body could do it."""
