"""The pose engine: BlazePose in PyTorch, and following one climber through a clip with it."""
