"""From a folder of CSV files to an ``Instance``, with every finding at once."""
