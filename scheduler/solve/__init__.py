"""From an ``Instance`` to a plan and a proof of how good it is."""
