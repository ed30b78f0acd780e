"""Spans for an OpenTelemetry collector and crash reports for Sentry, if their addresses are set.

Only ids, kinds, routes and numbers leave this package: `spans.py` lists every attribute. No other module imports
opentelemetry or sentry_sdk, which are optional.
"""
