"""What runs came to and what they are at: kept for whoever asks later. Nothing of the engine is known here."""
