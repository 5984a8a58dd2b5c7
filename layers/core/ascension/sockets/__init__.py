"""WebSocket connections: tickets to open one, and who is connected."""
