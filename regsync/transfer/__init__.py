"""Moves graphs of manifests and blobs between Repositories, and knows no kind of them."""
