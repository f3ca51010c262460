#!/usr/bin/env python3
"""Turn a folder of real lists into a round folder.

    .venv/bin/python scripts/real_city.py SOURCE DIR [--people N] [--seed S] [--json]

SOURCE holds communities.csv, streets.csv, districts_census2020.csv, districts_geo.csv,
sampling_sites.csv and testing_institutions_2021.csv (codes of the statistics bureau, WGS84).
What the lists lack is filled by these rules and nothing else; the report counts every filled cell
by file, column and rule. The same lists, people and seed give the same bytes.

communities.csv
  population   N (Dalian 6,379,000, else the census) over districts by the census of 2020, then over
               the communities of a district: a residential one weighs 3, a village or other 1
  lat, lng     unknown: scattered around the street's point (500 m; villages 2 km), or 5 km around
               the seat of the district where the street has none
  households   people / household size of the district; elderly: its share of 65 and over
  homebound    0.3 %, an assumption;  zone: all normal
  blocks.csv is left out: the program cuts blocks
sites.csv
  rows         voluntary sites, hospitals and public places; not those for key occupations
  lat, lng     coord_ok = 0 counts as unknown: the community's point, else as for communities
  hours        daily windows as published; limits to weekdays are left out, 24 hours become
               06:00-22:00, and hours that cannot be read become the commonest of the list
  lanes        a community's people go to its nearest site; lanes = those people / 700 (guide:
               600-800), or / (60 per lane-hour x hours of the round x 0.75) where that is more, and
               at least as many as swab a block in the longest window; blocks are cut to at most 105
               people, a building of a large compound (124 buildings, 13,000 people)
  queue_length_m   200 m, or 20 m per lane where that is more
labs.csv
  rows         the institutions; while a site is more than 30 km from every lab, a support lab is
               added at the busiest such site, named so and as assumed (假设)
  lat, lng     of the sampling site named after it, of the street in its address, or of the
               district's seat
  processing_min   180; 210 where all the sites nearest to it are less than an hour away
  tubes_per_hour   for the sites nearest to it, people spread evenly over open hours, half a tube
               per site and wave on top (at most a tenth): the least rate that starts each tube in
               the hour it arrives or the next, x 1.06, at least 20
  hours        all day

Two days up to five million people, three above, from 22 December 2020, 06:00 to 22:00.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from scheduler.errors import SchedulerError
from scheduler.generate.real_city import write_real_city


def main(arguments: list[str] | None = None) -> int:
    """Write the round folder and print the report; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        ledger = write_real_city(options.source, options.folder, options.people, options.seed)
    except SchedulerError as error:
        print(f"Error: {error.message}", file=sys.stderr)
        if error.hint:
            print(error.hint, file=sys.stderr)
        return error.exit_code
    if options.json:
        print(json.dumps(ledger.to_dict(), ensure_ascii=False))
    else:
        print(f"Wrote a round of real lists to {options.folder}. What did not come from them:")
        print("\n".join(f"  {line}" for line in ledger.lines()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", metavar="SOURCE", type=Path, help="folder of real lists")
    parser.add_argument("folder", metavar="DIR", type=Path, help="new or empty folder to write")
    parser.add_argument("--people", type=int, help="people of the round")
    parser.add_argument("--seed", type=int, default=1, help="seed of scattered points")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
