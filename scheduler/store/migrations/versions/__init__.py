"""One module per migration, in order: ``r0001_...``, ``r0002_...``."""
