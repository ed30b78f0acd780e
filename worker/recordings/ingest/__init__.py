"""From uploaded bytes to a recording that can be played."""
