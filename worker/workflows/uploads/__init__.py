"""Resumable uploads: who sends them, how they end, and what is removed from the spool."""
