"""Sinks: events in, lines and reports out."""
