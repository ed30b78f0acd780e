"""The ledger: what is to be done, by whom it is being done, and how it ended.

PostgreSQL owns every job; the broker only carries job ids, and a message is a hint that may be lost, late or doubled.
Common ground: nothing here knows a capability, a recording or an ffmpeg; orders are plain data.
"""
