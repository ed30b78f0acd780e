"""What the processes of one worker count and measure, in memory that they share, for its METRICS_PORT.

Names and labels of all families stand in `families.py`. What the database knows belongs to the API's `/metrics`.
"""
