"""The values of the OCI specifications: pure, frozen, standard library only, no await and no I/O."""
