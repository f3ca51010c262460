"""Rounds, revisions, ids, assignments, consignments, unserved people and the run log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None

TABLES = (
    "runs",
    "unserved",
    "consignments",
    "assignments",
    "labs",
    "sites",
    "blocks",
    "communities",
    "moments",
    "revisions",
    "rounds",
)
"""Tables of this migration, those that others point to last."""


def upgrade() -> None:
    """Create the tables."""
    _create_rounds()
    _create_revisions()
    _create_moments()
    _create_residents()
    _create_places()
    _create_assignments()
    _create_unserved()
    _create_consignments()
    _create_runs()


def downgrade() -> None:
    """Drop the tables."""
    for table in TABLES:
        op.drop_table(table)


def _create_rounds() -> None:
    op.create_table(
        "rounds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("end", sa.Text(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.CheckConstraint("length(code) > 0", name=op.f("ck_rounds_code_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        sa.UniqueConstraint("code", name=op.f("uq_rounds_code")),
    )


def _create_revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("objective", sa.Float(), nullable=False),
        sa.Column("best_bound", sa.Float(), nullable=True),
        sa.Column("relative_gap", sa.Float(), nullable=True),
        sa.Column("gap_per_person", sa.Float(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("served", sa.Integer(), nullable=False),
        sa.Column("late_people", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("inputs_sha256", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "status = 'partial' OR status = 'late' OR status = 'feasible' OR status = 'optimal'",
            name=op.f("ck_revisions_status_known"),
        ),
        sa.CheckConstraint("late_people >= 0", name=op.f("ck_revisions_late_people_not_negative")),
        sa.CheckConstraint("people >= 0", name=op.f("ck_revisions_people_not_negative")),
        sa.CheckConstraint("served >= 0", name=op.f("ck_revisions_served_not_negative")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_revisions_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sa.UniqueConstraint("round_id", "revision", name=op.f("uq_revisions_round_id_revision")),
    )


def _create_moments() -> None:
    op.create_table(
        "moments",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("local_time", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["revisions.id"],
            name=op.f("fk_moments_revision_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("revision_id", "minute", name=op.f("pk_moments")),
        sqlite_with_rowid=False,
    )


def _create_residents() -> None:
    op.create_table(
        "communities",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_communities_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communities")),
        sa.UniqueConstraint("round_id", "code", name=op.f("uq_communities_round_id_code")),
    )
    op.create_table(
        "blocks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_blocks_community_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
        sa.UniqueConstraint("community_id", "code", name=op.f("uq_blocks_community_id_code")),
    )


def _create_places() -> None:
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_sites_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("round_id", "code", name=op.f("uq_sites_round_id_code")),
    )
    op.create_table(
        "labs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_labs_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labs")),
        sa.UniqueConstraint("round_id", "code", name=op.f("uq_labs_round_id_code")),
    )


def _create_assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("block_id", sa.Integer(), nullable=False),
        sa.Column("start_min", sa.Integer(), nullable=False),
        sa.Column("end_min", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("tubes", sa.Integer(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("pool_size", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "zone = 'normal' OR zone = 'precaution' OR zone = 'control' OR zone = 'lockdown'",
            name=op.f("ck_assignments_zone_known"),
        ),
        sa.CheckConstraint("end_min > start_min", name=op.f("ck_assignments_end_after_start")),
        sa.CheckConstraint("people > 0", name=op.f("ck_assignments_people_positive")),
        sa.CheckConstraint("pool_size > 0", name=op.f("ck_assignments_pool_size_positive")),
        sa.CheckConstraint("start_min >= 0", name=op.f("ck_assignments_start_not_before_round")),
        sa.CheckConstraint("tubes >= 0", name=op.f("ck_assignments_tubes_not_negative")),
        sa.ForeignKeyConstraint(["block_id"], ["blocks.id"], name=op.f("fk_assignments_block_id")),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["revisions.id"],
            name=op.f("fk_assignments_revision_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_assignments_site_id")),
        sa.PrimaryKeyConstraint(
            "revision_id", "block_id", "start_min", name=op.f("pk_assignments")
        ),
        sqlite_with_rowid=False,
    )


def _create_unserved() -> None:
    op.create_table(
        "unserved",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("block_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "reason = 'past_end' OR reason = 'full' OR reason = 'block_too_large' "
            "OR reason = 'no_site' OR reason = 'no_team' OR reason = 'home_visit'",
            name=op.f("ck_unserved_reason_known"),
        ),
        sa.CheckConstraint("people >= 0", name=op.f("ck_unserved_people_not_negative")),
        sa.ForeignKeyConstraint(["block_id"], ["blocks.id"], name=op.f("fk_unserved_block_id")),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["revisions.id"],
            name=op.f("fk_unserved_revision_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("revision_id", "block_id", "reason", name=op.f("pk_unserved")),
        sqlite_with_rowid=False,
    )


def _create_consignments() -> None:
    op.create_table(
        "consignments",
        *_whole_numbers("revision_id", "site_id", "pickup_min"),
        sa.Column("zone", sa.Text(), nullable=False),
        *_whole_numbers("lab_id", "start_min", "arrive_min", "result_min", "oldest_sample_min"),
        *_whole_numbers("tubes", "people", "pool_size"),
        *_consignment_rules(),
        sa.ForeignKeyConstraint(["lab_id"], ["labs.id"], name=op.f("fk_consignments_lab_id")),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["revisions.id"],
            name=op.f("fk_consignments_revision_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_consignments_site_id")),
        sa.PrimaryKeyConstraint(
            "revision_id",
            "site_id",
            "pickup_min",
            "zone",
            "lab_id",
            "start_min",
            name=op.f("pk_consignments"),
        ),
        sqlite_with_rowid=False,
    )


def _consignment_rules() -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(
            "zone = 'normal' OR zone = 'precaution' OR zone = 'control' OR zone = 'lockdown'",
            name=op.f("ck_consignments_zone_known"),
        ),
        sa.CheckConstraint(
            "arrive_min >= pickup_min", name=op.f("ck_consignments_arrival_after_pickup")
        ),
        sa.CheckConstraint(
            "oldest_sample_min <= pickup_min", name=op.f("ck_consignments_sampled_before_pickup")
        ),
        sa.CheckConstraint("people >= 0", name=op.f("ck_consignments_people_not_negative")),
        sa.CheckConstraint("pool_size > 0", name=op.f("ck_consignments_pool_size_positive")),
        sa.CheckConstraint(
            "result_min >= start_min", name=op.f("ck_consignments_result_after_start")
        ),
        sa.CheckConstraint(
            "start_min >= arrive_min", name=op.f("ck_consignments_start_after_arrival")
        ),
        sa.CheckConstraint("tubes > 0", name=op.f("ck_consignments_tubes_positive")),
    ]


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("round_code", sa.Text(), nullable=True),
        sa.Column("revision", sa.Text(), nullable=True),
        sa.Column("inputs_sha256", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_runs_seconds_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )


def _whole_numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]
