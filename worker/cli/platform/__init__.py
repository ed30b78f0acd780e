"""`astegni platform` and `astegni legacy`: the platform's database and older tables."""
