"""What can be ordered: one small frozen value for each kind of work."""
