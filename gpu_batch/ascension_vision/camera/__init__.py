"""How the camera moved, and what the wall looks like without the climber."""
