"""Whether people are free: their busy times, and the clashes that the database refuses."""
