"""How many people a site may call in each slot: its quota, less at the edges of opening hours.

With ``slots.profile = "elbow"`` the quota rises over the first ``edge_min`` minutes of an opening
window, while teams set up, and falls over the last, when stragglers come. In a slot whose middle
lies m minutes from the nearer end of the window's whole slots the share of the quota is

    edge_share + (1 - edge_share) x min(1, m / edge_min),

rounded down to whole people but never below 1. The name is that of "Mass Vaccination Scheduling"
(Management Science, doi 10.1287/mnsc.2023.02958), where leaving an even schedule at a sharp elbow
of the trade-off saves infections in the queue at nearly the same overtime. The shape here is ours:
that paper optimises one, and the dome of clinics (Klassen and Yoogalingam 2009, doi
10.1111/j.1937-5956.2009.01021.x) calls more at the edges, to keep one doctor busy.
"""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Floats, Ints, Window
from scheduler.domain.instance import Instance

_ROUNDING = 1e-9  # a whole number of people is not rounded down by its last binary digit


def slot_places(instance: Instance, quota: Ints, num_slots: int) -> Ints:
    """Return people that may be called, ``[site, slot]``, of ``quota[site]`` or [site, slot].

    Opening hours are not looked at but for the profile: closed slots keep their quota.
    """
    flat: Ints = quota if quota.ndim > 1 else np.repeat(quota[:, None], num_slots, axis=1)
    if instance.settings.slots.profile == "flat":
        return flat
    part = np.floor(flat * _shares(instance, num_slots) + _ROUNDING).astype(np.int64)
    return np.minimum(flat, np.maximum(part, 1))


def _shares(instance: Instance, num_slots: int) -> Floats:
    """Return the share of the quota that each slot has, ``[site, slot]``."""
    distinct = {hours: _window_shares(instance, hours, num_slots)
                for hours in dict.fromkeys(instance.sites.hours)}  # fmt: skip
    rows = [distinct[hours] for hours in instance.sites.hours]
    return np.array(rows, dtype=np.float64).reshape(-1, num_slots)


def _window_shares(instance: Instance, hours: tuple[Window, ...], num_slots: int) -> Floats:
    clock, settings = instance.clock, instance.settings.slots
    slot = instance.settings.round.slot_minutes
    shares = np.ones(num_slots)
    for begin, end in clock.windows(hours, 0, clock.end_min):
        first, last = -(-max(begin, 0) // slot), min(end, clock.end_min) // slot
        place = np.arange(max(last - first, 0))
        middle = (np.minimum(place, place[::-1]) + 0.5) * slot
        rise = (1 - settings.edge_share) * np.minimum(1.0, middle / settings.edge_min)
        shares[first:last] = settings.edge_share + rise
    return shares
