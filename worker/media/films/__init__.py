"""Films of several pictures and sounds."""
