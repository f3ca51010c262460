"""Settings of a round: one frozen dataclass per table of ``round.toml``.

The limits and the documentation of each key stand beside it; ``scheduler.config`` reads and
validates the file against them. Units end the names. Sources are in ``configs/README.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, doc


class Zone(IntEnum):
    """Control zone of a community, strictest first: the order in which zones are served."""

    LOCKDOWN = 0
    CONTROL = 1
    PRECAUTION = 2
    NORMAL = 3

    @property
    def word(self) -> str:
        """Return the word used in files, such as ``normal``."""
        return self.name.lower()


ZONE_WORDS = tuple(zone.word for zone in Zone)
"""Words of the zones, indexed by ``Zone``."""


@dataclass(frozen=True, kw_only=True)
class RoundSettings:
    """Table ``[round]``."""

    id: Annotated[str, doc("name of the round: letters, digits, . _ -")]
    name: Annotated[str, doc("title that people read")] = ""
    timezone: Annotated[str, doc("IANA time zone of all local times")] = "Asia/Shanghai"
    start: Annotated[datetime, doc("local time; no slot starts before")]
    end: Annotated[datetime, doc("local time; no slot ends after")]
    slot_minutes: Annotated[int, Ge(1), Le(240), doc("length of an arrival window")] = 15
    wave_minutes: Annotated[
        int, Ge(1), Le(1440), doc("time between pick-ups at a site, a multiple of slot_minutes")
    ] = 60
    language: Annotated[Literal["zh", "en"], doc("language of what is published")] = "zh"
    coordinates: Annotated[
        Literal["wgs84", "gcj02", "bd09"], doc("datum of lat and lng in the CSV files")
    ] = "wgs84"
    synthetic: Annotated[bool, doc("true: the input was made up by `init --city`")] = False


@dataclass(frozen=True, kw_only=True)
class TargetSettings:
    """Table ``[targets]``."""

    result_hours: Annotated[float, Gt(0), doc("promise: hours from wave start to result")] = 6.0
    max_holding_min: Annotated[int, Ge(1), doc("oldest sample allowed on arrival at a lab")] = 240
    max_walk_m: Annotated[int, Ge(0), doc("longest way on foot, detour included")] = 3000
    cross_district: Annotated[bool, doc("may people go to a site of another district")] = True
    spacing_m: Annotated[float, Gt(0), doc("ground between two people in a queue")] = 1.0
    queue_service_level: Annotated[
        float, Gt(0), Le(0.9999), doc("probability that the queue fits its ground in a slot")
    ] = 0.95
    max_load: Annotated[float, Gt(0), Le(1), doc("share of lanes x rate that is planned")] = 0.95


@dataclass(frozen=True, kw_only=True)
class QueueSettings:
    """Table ``[queue]``: how people arrive and how long a swab takes."""

    early_mean_min: Annotated[float, doc("mean minutes before the slot's start")] = 3.0
    punctuality_sd_min: Annotated[float, Ge(0), doc("standard deviation of arrival")] = 5.0
    no_show: Annotated[float, Ge(0), Le(0.99), doc("share of called people who stay away")] = 0.02
    swab_cv: Annotated[float, Ge(0), Le(5), doc("coefficient of variation of swab time")] = 0.5


@dataclass(frozen=True, kw_only=True)
class SiteSettings:
    """Table ``[sites]``."""

    people_per_lane_hour: Annotated[float, Gt(0), doc("swabs per lane and hour")] = 60.0
    clearing_min: Annotated[
        int, Ge(0), doc("gap at a site between a stricter zone and a less strict one")
    ] = 30


@dataclass(frozen=True, kw_only=True)
class SlotSettings:
    """Table ``[slots]``: how people are spread over slots, beyond the quota of each site."""

    profile: Annotated[
        Literal["flat", "elbow"],
        doc("quota within opening hours: flat, or elbow: less at their beginning and end"),
    ] = "flat"
    edge_min: Annotated[
        int, Ge(1), Le(1440), doc("elbow: minutes from opening, and to closing, with less quota")
    ] = 60
    edge_share: Annotated[
        float, Gt(0), Le(1), doc("elbow: share of the quota at the moment of opening or closing")
    ] = 0.5
    city_people: Annotated[
        int,
        Ge(0),
        Le(1_000_000_000),
        doc("most people called in one slot in the whole city; 0 for no limit"),
    ] = 0


@dataclass(frozen=True, kw_only=True)
class BlockSettings:
    """Table ``[blocks]``."""

    max_people: Annotated[int, Ge(1), doc("largest block cut from a community")] = 250


@dataclass(frozen=True, kw_only=True)
class PoolingSettings:
    """Table ``[pooling]``: people per tube by zone."""

    lockdown: Annotated[int, Ge(1), Le(100), doc("people per tube in lockdown zones")] = 1
    control: Annotated[int, Ge(1), Le(100), doc("people per tube in control zones")] = 10
    precaution: Annotated[int, Ge(1), Le(100), doc("people per tube in precaution zones")] = 10
    normal: Annotated[int, Ge(1), Le(100), doc("people per tube elsewhere")] = 10

    def by_zone(self) -> tuple[int, int, int, int]:
        """Return people per tube, indexed by ``Zone``."""
        return (self.lockdown, self.control, self.precaution, self.normal)


@dataclass(frozen=True, kw_only=True)
class TravelSettings:
    """Table ``[travel]``: minutes = ceil(km x detour / speed x 60 + handling)."""

    speed_kmh: Annotated[float, Gt(0), doc("speed of a courier")] = 30.0
    detour: Annotated[float, Ge(1), doc("road distance over straight distance")] = 1.4
    handling_min: Annotated[int, Ge(0), doc("loading and handing over")] = 10


@dataclass(frozen=True, kw_only=True)
class WalkSettings:
    """Table ``[walk]``."""

    metres_per_min: Annotated[float, Gt(0), doc("walking speed")] = 70.0
    detour: Annotated[float, Ge(1), doc("path over straight distance")] = 1.3


@dataclass(frozen=True, kw_only=True)
class FinishWeights:
    """Table ``[weights.finish]``: person-minutes per person and minute since the round's start."""

    lockdown: Annotated[float, Ge(0), doc("lockdown zones")] = 0.5
    control: Annotated[float, Ge(0), doc("control zones")] = 0.1
    precaution: Annotated[float, Ge(0), doc("precaution zones")] = 0.02
    normal: Annotated[float, Ge(0), doc("elsewhere")] = 0.005

    def by_zone(self) -> tuple[float, float, float, float]:
        """Return the weights, indexed by ``Zone``."""
        return (self.lockdown, self.control, self.precaution, self.normal)


@dataclass(frozen=True, kw_only=True)
class ChurnWeights:
    """Table ``[weights.churn]``: person-minutes per person moved by a re-plan."""

    site: Annotated[float, Ge(0), doc("per person whose published site changes")] = 15.0
    time: Annotated[float, Ge(0), doc("per person whose published time changes")] = 3.0


@dataclass(frozen=True, kw_only=True)
class WeightSettings:
    """Table ``[weights]``: person-minutes per unit of each objective term."""

    unserved: Annotated[float, Ge(0), doc("per person without a slot")] = 100_000.0
    late: Annotated[float, Ge(0), doc("per person and minute of a late result")] = 10.0
    walk: Annotated[float, Ge(0), doc("per person and minute of walking, one way")] = 1.0
    split: Annotated[float, Ge(0), doc("per site a community uses beyond its first")] = 20.0
    finish: FinishWeights = field(default_factory=FinishWeights)
    churn: ChurnWeights = field(default_factory=ChurnWeights)


@dataclass(frozen=True, kw_only=True)
class SimulateSettings:
    """Table ``[simulate]``: what goes otherwise than planned, and what is ordered nevertheless."""

    replications: Annotated[int, Ge(1), Le(1000), doc("how often a plan is lived through")] = 20
    share_in_time: Annotated[
        float, Gt(0), Le(1), doc("ordered share of results within the promise")
    ] = 0.95
    group_people: Annotated[int, Ge(1), Le(100), doc("people called to a lane together")] = 1
    group_wait_min: Annotated[
        float, Ge(0), doc("a group that is not full is called after so many minutes")
    ] = 5.0
    pickup_delay_min: Annotated[float, Ge(0), doc("mean minutes that a courier comes late")] = 5.0
    travel_cv: Annotated[float, Ge(0), Le(3), doc("coefficient of variation of courier time")] = 0.2
    run_min: Annotated[
        int, Ge(1), doc("minutes until a line of a laboratory can take its next run")
    ] = 60
    run_wait_min: Annotated[
        float, Ge(0), doc("a run that is not full starts when a tube has waited so long")
    ] = 15.0
    line_failure: Annotated[
        float, Ge(0), Le(1), doc("share of runs after which their line stands still")
    ] = 0.005
    line_repair_min: Annotated[float, Ge(0), doc("minutes that it stands still")] = 120.0


@dataclass(frozen=True, kw_only=True)
class FrequencySettings:
    """Table ``[roster.frequency]``: days from one round of a zone to its next."""

    lockdown: Annotated[int, Ge(1), Le(60), doc("days between rounds of lockdown zones")] = 1
    control: Annotated[int, Ge(1), Le(60), doc("days between rounds of control zones")] = 1
    precaution: Annotated[int, Ge(1), Le(60), doc("days between rounds of precaution zones")] = 2
    normal: Annotated[int, Ge(1), Le(60), doc("days between rounds elsewhere")] = 5

    def by_zone(self) -> tuple[int, int, int, int]:
        """Return days, indexed by ``Zone``."""
        return (self.lockdown, self.control, self.precaution, self.normal)


@dataclass(frozen=True, kw_only=True)
class RosterSettings:
    """Table ``[roster]``: what the persons of a roster are due."""

    home_visit_under_age: Annotated[
        int, Ge(0), Le(150), doc("children below this age are visited at home; 0 for none")
    ] = 3
    elderly_age: Annotated[int, Ge(1), Le(150), doc("from this age on people come by day")] = 65
    vaccinated_hours: Annotated[
        float, Ge(0), doc("exempt for so long after a vaccination, where its time is given")
    ] = 48.0
    tested_hours: Annotated[
        float, Ge(0), doc("exempt for so long after a test elsewhere, where its time is given")
    ] = 24.0
    household_ids: Annotated[
        Literal["round", "block"], doc("where a household number is unique")
    ] = "round"
    lockdown_tubes: Annotated[
        Literal["single", "household"], doc("tubes in lockdown: one a person or one a household")
    ] = "single"
    mop_up_lead_min: Annotated[
        int, Ge(0), Le(1440), doc("notice that people get before a mop-up slot")
    ] = 60
    frequency: FrequencySettings = field(default_factory=FrequencySettings)


@dataclass(frozen=True, kw_only=True)
class ResultSettings:
    """Table ``[results]``: samples that were recorded, and what follows a positive tube."""

    same_sample_min: Annotated[
        int, Ge(0), doc("rows of a person so close in time are one sample, corrected")
    ] = 60
    resample_hours: Annotated[
        float, Gt(0), doc("limit from a positive tube to the single tubes of its members")
    ] = 4.0
    resample_people_per_hour: Annotated[
        int, Ge(1), doc("people an hour that the reserved teams sample singly, whole city")
    ] = 60


@dataclass(frozen=True, kw_only=True)
class ReplanSettings:
    """Table ``[replan]``."""

    freeze_min: Annotated[
        int, Ge(0), Le(1440), doc("calls that start within so many minutes are left as they are")
    ] = 60
    grace_min: Annotated[
        int, Ge(0), Le(1440), doc("minutes after its end at which a slot is judged by its reports")
    ] = 15
    behind_share: Annotated[
        float,
        Ge(0),
        Le(1),
        doc("share of called people that may be missing without being recalled"),
    ] = 0.1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of a round."""

    round: RoundSettings
    targets: TargetSettings = field(default_factory=TargetSettings)
    queue: QueueSettings = field(default_factory=QueueSettings)
    sites: SiteSettings = field(default_factory=SiteSettings)
    slots: SlotSettings = field(default_factory=SlotSettings)
    blocks: BlockSettings = field(default_factory=BlockSettings)
    pooling: PoolingSettings = field(default_factory=PoolingSettings)
    travel: TravelSettings = field(default_factory=TravelSettings)
    walk: WalkSettings = field(default_factory=WalkSettings)
    weights: WeightSettings = field(default_factory=WeightSettings)
    simulate: SimulateSettings = field(default_factory=SimulateSettings)
    roster: RosterSettings = field(default_factory=RosterSettings)
    results: ResultSettings = field(default_factory=ResultSettings)
    replan: ReplanSettings = field(default_factory=ReplanSettings)

    @property
    def clearing_slots(self) -> int:
        """Slots for which a site stays empty between a stricter zone and a less strict one."""
        return -(-self.sites.clearing_min // self.round.slot_minutes)
