"""What is run around copies: programs and webhooks, each handed one event; they know no repositories."""
