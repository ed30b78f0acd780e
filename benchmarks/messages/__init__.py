"""Reminders: planned, claimed, and how late they are sent."""
