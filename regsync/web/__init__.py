"""What the daemon says of itself over HTTP."""
