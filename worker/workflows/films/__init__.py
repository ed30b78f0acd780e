"""Films that are made here: replays of boards, and recordings of a session combined into one."""
