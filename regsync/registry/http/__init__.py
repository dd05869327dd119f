"""One registry, spoken to: an exchange on the wire, and around it the policy of trying, pacing, following, trusting."""
