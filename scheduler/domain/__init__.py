"""What a round and a plan are. Columns of numbers, no I/O."""
