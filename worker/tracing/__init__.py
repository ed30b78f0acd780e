"""Spans for an OpenTelemetry collector and crashes for Sentry, where their addresses are set; otherwise nothing.

Only ids, kinds, routes and numbers leave this package: `spans.py` lists every attribute. No other module imports
opentelemetry or sentry_sdk, which are optional.
"""
