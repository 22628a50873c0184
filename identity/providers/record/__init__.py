"""Questions whose answers the controller's own record holds."""
