"""Text messages: what sends them, how a gateway is described, and the demonstration's own outbox."""
