"""Several machines with spools of their own on one database, one broker and one bucket, on this host: `make scale`.

One machine's share of the work is measured first, then three machines', then one of them is lost in mid-work.
"""
