"""`python -m regsync` is the same program as `regsync`."""

from regsync.cli import main

if __name__ == "__main__":
    main()
