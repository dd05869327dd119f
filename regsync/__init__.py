"""regsync: mirror container images between registries and OCI layouts, driven by one YAML file."""

__version__ = "0.1.0"
