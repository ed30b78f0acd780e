"""Enrolments, groups and requests of the platform."""
