"""How sure one has to be of a person for what they ask: rules as data, and what follows from them. Pure."""
