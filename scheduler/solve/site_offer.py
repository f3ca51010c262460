"""What sites that several zones share offer to the stricter ones, and who may move between them."""

from __future__ import annotations

from dataclasses import dataclass

from scheduler.domain.city import Floats, Ints
from scheduler.solve.candidates import Pairs


@dataclass(frozen=True)
class SiteOffer:
    """What sites offer, ``[site, slot]``, and what zones pay for it in person-minutes.

    ``places`` are people that may be called (0: not offered), ``cost[zone]`` is finish plus lab
    price per person, ``part_filled[zone][rest, site, slot]`` what a tube with ``rest`` people costs
    beyond their shares of a full one, ``pool[zone]`` places per tube, ``main_gain`` what the
    commonest zone gains in a whole slot. ``spare`` slots are kept behind a zone's last person,
    ``clearing`` more before the next zone; ``unserved`` is what a person without a slot costs.
    """

    places: Ints
    cost: dict[int, Floats]
    part_filled: dict[int, Floats]
    pool: dict[int, int]
    main_gain: Floats
    spare: int
    clearing: int
    unserved: float


@dataclass(frozen=True)
class Movable:
    """Blocks that may move, with all their candidates: ``walk_cost[pair]`` of the whole block.

    ``people``, ``zone`` and ``community`` are by block, ``split`` is per extra site of a community.
    """

    pairs: Pairs
    walk_cost: Floats
    people: Ints
    zone: Ints
    community: Ints
    split: float
