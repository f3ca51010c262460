"""Use case: check a stored plan against its input, both read from disk."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scheduler.app.revision import open_revision
from scheduler.domain.verify import Breach, verify


@dataclass(frozen=True)
class VerifyResult:
    """Every breach of one revision, and how much was checked."""

    revision: str
    breaches: tuple[Breach, ...]
    num_assignments: int
    num_consignments: int

    @property
    def by_code(self) -> dict[str, int]:
        """Number of breaches of each code that was found."""
        return dict(sorted(Counter(breach.code for breach in self.breaches).items()))

    def to_dict(self, limit: int | None = None) -> dict[str, Any]:
        """Return the result for ``--json``, with at most ``limit`` breaches."""
        return {
            "revision": self.revision,
            "clean": not self.breaches,
            "total": len(self.breaches),
            "by_code": self.by_code,
            "assignments": self.num_assignments,
            "consignments": self.num_consignments,
            "breaches": [asdict(b) | {"message": str(b)} for b in self.breaches[:limit]],
        }


def verify_round(folder: Path, revision: str | None = None) -> VerifyResult:
    """Check a revision of a round folder, the newest when none is named.

    Raises
    ------
    InputError
        When the input has errors.
    CannotRunError
        When there is no such revision, or its files cannot be read.
    """
    stored = open_revision(folder, revision)
    breaches = verify(stored.instance, stored.plan, revision=stored.name, standing=stored.standing)
    plan = stored.plan
    return VerifyResult(stored.name, tuple(breaches), len(plan.assignments), len(plan.consignments))
