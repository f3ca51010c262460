"""A plan lived through by random people, couriers and laboratory runs."""

from scheduler.simulate.cases import Case, case_named
from scheduler.simulate.live import Lived, Tick, live
from scheduler.simulate.report import level_failed, report, shares_in_time
from scheduler.simulate.unscheduled import ArrivalCurve, load_curve, unscheduled_visits
from scheduler.simulate.visits import Consigned, Visits, planned_visits

__all__ = [
    "ArrivalCurve",
    "Case",
    "Consigned",
    "Lived",
    "Tick",
    "Visits",
    "case_named",
    "level_failed",
    "live",
    "load_curve",
    "planned_visits",
    "report",
    "shares_in_time",
    "unscheduled_visits",
]
