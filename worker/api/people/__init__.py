"""The caller's own students, messages, channels and preferences, and the ids of the platform's rows here."""
