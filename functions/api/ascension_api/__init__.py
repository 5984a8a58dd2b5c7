"""The public HTTP API: translates requests into calls of the domain and their outcomes into answers."""
