"""The texts of a recording: captions, chapters, what was typed, and how they are searched."""
