"""A hosted service that looks at documents and faces for us, whichever it is: described in configuration."""
