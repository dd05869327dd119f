"""What one entry of the configuration means: which images, whether they are needed, in which order."""
