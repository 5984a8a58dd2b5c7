"""Enterprise customers' own networks, as safetensors files."""
