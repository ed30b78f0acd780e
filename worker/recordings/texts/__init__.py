"""Words of a recording: captions, chapters, what was typed, and how it is searched."""
