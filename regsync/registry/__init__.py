"""Repositories on a registry, spoken to in the distribution API."""
