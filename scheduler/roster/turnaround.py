"""How long results really took, against the promise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from scheduler.domain.instance import Instance


@dataclass(frozen=True)
class Turnaround:
    """Figures of people with a result, of one place; hours from the start of the swab's wave."""

    place: str
    sampled: int
    resulted: int
    in_time: int
    p50_hours: float | None
    p95_hours: float | None
    longest_hours: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures with the share that kept the promise."""
        share = self.in_time / self.resulted if self.resulted else None
        return {**asdict(self), "share_in_time": share}


def turnarounds(
    instance: Instance, samples: pl.DataFrame, results: pl.DataFrame, districts: pl.Series
) -> list[Turnaround]:
    """Return the city's figures, then each district's; ``districts`` stands beside the samples."""
    done = (
        samples.select("tube", "sampled_at")
        .with_columns(districts.alias("district"))
        .join(results.select("tube", "reported_at"), on="tube", how="left", maintain_order="left")
    )
    start = instance.settings.round.start
    swabbed = (done["sampled_at"] - start).dt.total_seconds().to_numpy()
    reported = (done["reported_at"] - start).dt.total_seconds()
    wave = instance.settings.round.wave_minutes * 60
    hours = (reported.to_numpy().astype(float) - swabbed // wave * wave) / 3600
    promise = instance.settings.targets.result_hours
    place = done["district"].to_numpy()
    names = sorted(set(instance.communities.districts.tolist()))
    return [_figures("city", hours, promise)] + [
        _figures(name, hours[place == name], promise) for name in names
    ]


def _figures(place: str, hours: np.ndarray, promise: float) -> Turnaround:
    known = hours[~np.isnan(hours)]
    some = len(known) > 0
    return Turnaround(
        place=place,
        sampled=len(hours),
        resulted=len(known),
        in_time=int((known <= promise).sum()),
        p50_hours=round(float(np.quantile(known, 0.5)), 2) if some else None,
        p95_hours=round(float(np.quantile(known, 0.95)), 2) if some else None,
        longest_hours=round(float(known.max()), 2) if some else None,
    )
