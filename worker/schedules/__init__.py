"""Lessons that repeat: what was wished, which days that means, and the lessons made of it.

Pure rules live in `rules`, `rrule_text`, `until`, `expand`, `periods`, `month_days`, `phrases`, `phrase_words`,
`phrase_draft`, `names`, `platform_words`, `narrowing`, `describe`, `omissions`, `instants` and `recurrence`: no SQL,
clock or HTTP enters them. The rest of the room is storing. What reminds people of lessons, and what joins lessons with
bookings or whiteboards, must not enter.
"""
