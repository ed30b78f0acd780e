"""The fast copy: a file that browsers can seek, verified against its recording."""
