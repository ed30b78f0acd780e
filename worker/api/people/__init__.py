"""The caller's own: students, messages, channels, preferences, and what the platform calls them."""
