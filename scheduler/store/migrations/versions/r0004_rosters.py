"""Rosters: which file of residents goes with a revision, and where its people ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "rosters",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("input", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("home_visit", sa.Integer(), nullable=False),
        sa.Column("exempt", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "slot >= 0 AND home_visit >= 0 AND exempt >= 0 AND rejected >= 0",
            name=op.f("ck_rosters_not_negative"),
        ),
        sa.CheckConstraint(
            "input = slot + home_visit + exempt + rejected", name=op.f("ck_rosters_adds_up")
        ),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_rosters_checksum")),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["revisions.id"],
            name=op.f("fk_rosters_revision_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_rosters")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("rosters")
