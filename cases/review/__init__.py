"""What of the things found goes out, in whole or in part, and what does not, and why."""
