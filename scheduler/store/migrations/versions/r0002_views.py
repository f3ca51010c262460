"""Views that show a stored plan as readable text, for anybody with a database client."""

from __future__ import annotations

from alembic import op

revision = "r0002"
down_revision = "r0001"

SCHEDULE = """
CREATE VIEW schedule AS
SELECT rounds.code AS round, revisions.revision, communities.code AS community_id,
  blocks.code AS block_id, sites.code AS site_id, begins.local_time AS start_at,
  ends.local_time AS end_at, assignments.people, assignments.tubes, assignments.zone,
  assignments.pool_size
FROM assignments
JOIN revisions ON revisions.id = assignments.revision_id
JOIN rounds ON rounds.id = revisions.round_id
JOIN blocks ON blocks.id = assignments.block_id
JOIN communities ON communities.id = blocks.community_id
JOIN sites ON sites.id = assignments.site_id
JOIN moments AS begins ON begins.revision_id = assignments.revision_id
  AND begins.minute = assignments.start_min
JOIN moments AS ends ON ends.revision_id = assignments.revision_id
  AND ends.minute = assignments.end_min
"""

DELIVERIES = """
CREATE VIEW deliveries AS
SELECT rounds.code AS round, revisions.revision, sites.code AS site_id, labs.code AS lab_id,
  consignments.zone, consignments.pool_size, pickups.local_time AS pickup_at,
  arrivals.local_time AS arrive_at, starts.local_time AS start_at,
  results.local_time AS result_by, consignments.tubes, consignments.people,
  samples.local_time AS oldest_sample_at
FROM consignments
JOIN revisions ON revisions.id = consignments.revision_id
JOIN rounds ON rounds.id = revisions.round_id
JOIN sites ON sites.id = consignments.site_id
JOIN labs ON labs.id = consignments.lab_id
JOIN moments AS pickups ON pickups.revision_id = consignments.revision_id
  AND pickups.minute = consignments.pickup_min
JOIN moments AS arrivals ON arrivals.revision_id = consignments.revision_id
  AND arrivals.minute = consignments.arrive_min
JOIN moments AS starts ON starts.revision_id = consignments.revision_id
  AND starts.minute = consignments.start_min
JOIN moments AS results ON results.revision_id = consignments.revision_id
  AND results.minute = consignments.result_min
JOIN moments AS samples ON samples.revision_id = consignments.revision_id
  AND samples.minute = consignments.oldest_sample_min
"""

NOT_SERVED = """
CREATE VIEW not_served AS
SELECT rounds.code AS round, revisions.revision, communities.code AS community_id,
  blocks.code AS block_id, unserved.people, unserved.reason
FROM unserved
JOIN revisions ON revisions.id = unserved.revision_id
JOIN rounds ON rounds.id = revisions.round_id
JOIN blocks ON blocks.id = unserved.block_id
JOIN communities ON communities.id = blocks.community_id
"""


def upgrade() -> None:
    """Create the views."""
    for view in (SCHEDULE, DELIVERIES, NOT_SERVED):
        op.execute(view)


def downgrade() -> None:
    """Drop the views."""
    for name in ("schedule", "deliveries", "not_served"):
        op.execute(f"DROP VIEW {name}")
