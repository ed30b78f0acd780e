"""The ledger: which jobs are due, which worker runs each, and how each ended.

PostgreSQL owns every job; the broker carries only job ids, and a message is a hint that may be lost, late or repeated.
Shared by all capabilities: nothing here depends on a capability, a recording or ffmpeg; orders are plain data.
"""
