"""Calendar feeds: their secret addresses, and the lessons in them as iCalendar events."""
