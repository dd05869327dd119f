"""What is known of entries and hosts at this moment, and the metrics made of it."""
