"""The report of a revision: one HTML file that needs no network."""
