"""OpenID Connect as a relying party: for staff who sign in by their employer, and customers by their brand."""
