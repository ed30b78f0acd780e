"""Films composed of several pictures and sounds."""
