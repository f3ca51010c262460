"""From an ``Instance`` to a plan and a proof of how good it is."""

from scheduler.solve.pipeline import make_plan

__all__ = ["make_plan"]
