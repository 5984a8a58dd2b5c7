"""The result: compact on the wire, verbose for reading, the same content in both. See docs/result-format.md."""
