"""Files: the plan folder, and what communities, sites, labs and districts receive."""
