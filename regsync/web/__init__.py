"""The HTTP server: who is answered, who answers which path, and how refusals are said."""
