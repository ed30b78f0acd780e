"""Captions: read from WebVTT and SRT, written as WebVTT. Pure functions over text; no files, no rows."""
