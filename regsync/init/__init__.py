"""A first configuration: what to copy is asked, both ends are looked at, and a file is written that runs."""
