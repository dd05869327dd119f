"""What programs ask for, and what they tell the daemon: the API, its events and its document."""
