"""Mend a published plan where it no longer holds."""

from scheduler.solve.repair.repair import Repaired, repair_plan

__all__ = ["Repaired", "repair_plan"]
