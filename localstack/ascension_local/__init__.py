"""What the free LocalStack lacks to run Ascension: Lambda and Batch as processes, a WebSocket API, and up and down."""
