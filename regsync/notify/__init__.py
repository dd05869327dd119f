"""Who is told when mirrors fail, change, grow old and recover: what is worth a message, and how it gets there."""
