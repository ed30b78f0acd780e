"""What the processes of one worker count and measure, in memory that they share, for its METRICS_PORT.

The names and labels of all families are in `families.py`. Metrics from the database belong to the API's `/metrics`.
"""
