"""What identity tells: the one signal of the house."""
