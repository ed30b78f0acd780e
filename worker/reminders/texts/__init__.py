"""What a message says in the reader's language, zone and calendar: subject, text, HTML, and the lesson as a file.

Pure: facts come in as plain data (`data`), words go out. Rows, clocks, addresses and sending must not enter. The
sentences stand in `templates/`, one file per language and kind; words that depend on numbers and dates in `english`
and `amharic`.
"""
