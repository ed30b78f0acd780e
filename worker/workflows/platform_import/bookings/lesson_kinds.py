"""The kinds of rows that become lessons, as links and refusals name them."""

LESSON = "lesson"
# A row of the calendar of 2025.
DOCUMENT_LESSON = "document_lesson"
