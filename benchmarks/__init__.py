"""How fast regsync is and what it costs, measured against two docker-registries: `make bench`."""
