"""Whether people are free: their busy times, and the overlaps that the database rejects."""
