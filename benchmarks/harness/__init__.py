"""How figures are measured and published: readings, limits, time, memory, the machine."""
