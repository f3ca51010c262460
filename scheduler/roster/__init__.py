"""From residents and a plan to who goes where; from samples to who is missing."""
