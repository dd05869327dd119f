"""Time, jobs and life cycle; knows entries by name only and could schedule anything."""
