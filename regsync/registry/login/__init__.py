"""What a registry wants to see before it answers, and how that is obtained."""
