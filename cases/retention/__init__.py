"""What the desk itself keeps, why, for how long, and what happens then: declared once, read by everything else."""
