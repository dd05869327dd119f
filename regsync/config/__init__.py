"""The configuration, shaped like the YAML people write, and nothing else."""
