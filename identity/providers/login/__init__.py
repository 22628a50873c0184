"""Sign-in with the controller's own customer account."""
