"""What a member of staff saw and recorded, and the rehearsal of it."""
