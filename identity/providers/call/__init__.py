"""The agent's security check during a conversation."""
