"""From uploaded bytes to a playable recording."""
