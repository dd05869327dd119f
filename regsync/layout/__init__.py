"""Repositories in an OCI image-layout directory."""
