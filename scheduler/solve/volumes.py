"""How many tubes each stream sends in each wave, given what its part of the city should send.

Within a wave a site's next slot is dearer than its last by the same amount wherever it lies, so
that sites of a part should be filled to levels that differ by a constant of the site, not by a
factor: people = quota x (level of the wave + level of the site). Both levels follow from the sums
by turns; it is the transport problem with quadratic costs. Shares are rounded to whole tubes by
passing on what rounding leaves (error diffusion, Floyd and Steinberg 1976): a stream's sum is exact
and sums of waves are met to a tube or so. A stream with fewer tubes than bridge a run's waves works
in a part of it, because a block cannot pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np

from scheduler.domain.city import Flags, Floats, Ints

_TURNS, _MORE_TURNS = 8, 20  # more where labs are short
_NEARLY_NONE = 1e-9  # tubes
_BISECTIONS = 22  # a millionth of the slots of a wave


@dataclass(frozen=True)
class Volumes:
    """What parts of the city should send: ``tubes[part, piece]``; ``free`` where labs have more."""

    tubes: Floats
    free: Flags

    def of_run(self, part: int, at: slice, count: int, room: Ints) -> Floats:
        """Return what ``count`` tubes of one run of a part make of its volumes.

        More than foreseen goes to the first waves in which labs have room, fewer are taken from the
        last such waves; where there are none all waves change alike.
        """
        tubes, free = self.tubes[part, at].copy(), np.flatnonzero(self.free[part, at])
        more = count - tubes.sum()
        for wave in free.tolist() if more > 0 else free[::-1].tolist():
            step = min(more, room[wave] - tubes[wave]) if more > 0 else max(more, -tubes[wave])
            tubes[wave] += step
            more -= step
        if abs(more) > _NEARLY_NONE and tubes.sum() > 0:
            tubes *= (tubes.sum() + more) / tubes.sum()
        return tubes


@dataclass(frozen=True)
class Shares:
    """What is to be shared: rows of streams, each in one part of the city.

    ``part[row]``, ``quota[row]`` per slot, ``count[row]`` to be sent, ``room[row, piece]`` in the
    same unit, and ``wanted[part, piece]`` in any unit. What a part did not foresee is done in the
    earliest waves. Where labs are short it is done in those nearest to the wanted ones, and rows
    that have enough keep ``bridge[row]`` in each of their waves.
    """

    part: Ints
    quota: Floats
    count: Ints
    room: Ints
    wanted: Floats
    bridge: Ints | None = None


def even_volumes(shares: Shares) -> Floats:
    """Return what each row sends in each piece: rows exactly where room allows, parts nearly."""
    room = _allowed_room(shares)
    parts = shares.wanted.shape[0]
    total = np.bincount(shares.part, weights=shares.count, minlength=parts)
    target = shares.wanted * (total / np.maximum(shares.wanted.sum(axis=1), 1e-9))[:, None]
    slots = np.zeros(target.shape)
    np.add.at(slots, shares.part, np.where(room > 0, shares.quota[:, None], 0))
    level = target / np.maximum(slots, 1e-9)
    sent, least = np.zeros(room.shape), _kept(shares, room)
    for _ in range(_TURNS if shares.bridge is None else _MORE_TURNS):
        sent = _fill(level[shares.part], shares.quota, shares.count, (least, room))
        reached = np.zeros(target.shape)
        np.add.at(reached, shares.part, sent)
        wish = _without_last(target, np.where(target > 0, 0, reached).sum(axis=1))
        level += np.where(slots > 0, (wish - reached) / np.maximum(slots, 1e-9), 0)
    return sent


def _kept(shares: Shares, room: Floats) -> Floats:
    """Return what each row keeps in each piece, ``[row, piece]``."""
    if shares.bridge is None:
        return np.zeros(room.shape)
    least = np.minimum(room, shares.bridge[:, None])
    return np.where((least.sum(axis=1) <= shares.count)[:, None], least, 0.0)


def _without_last(target: Floats, elsewhere: Floats) -> Floats:
    """Return the targets less what full rows send where nothing is wanted, taken from the last."""
    after = np.cumsum(target[:, ::-1], axis=1)[:, ::-1] - target
    return target - np.clip(elsewhere[:, None] - after, 0, target)


def _allowed_room(shares: Shares) -> Floats:
    """Return the room in the pieces in which something is wanted, and as many more as rows need.

    Those are the earliest, because work that its part did not foresee is best done soon; or the
    nearest, where labs are short and a site between two calls keeps a tube for each wave.
    """
    asked = (shares.wanted > 0)[shares.part]
    room = np.where(asked, shares.room, 0)
    for row in np.flatnonzero(room.sum(axis=1) < shares.count).tolist():
        spare = np.where(asked[row], 0, shares.room[row])
        order = np.arange(len(spare)) if shares.bridge is None else by_distance(asked[row])
        upto = np.cumsum(spare[order])
        before = upto - spare[order] + room[row].sum()
        room[row, order] += np.where(before < shares.count[row], spare[order], 0)
    return room.astype(np.float64)


def by_distance(asked: Flags) -> Ints:
    """Return all pieces, those nearest to the ones asked for first, earlier ones before later."""
    at = np.flatnonzero(asked)
    if not len(at):
        return np.arange(len(asked))
    far = np.abs(np.arange(len(asked))[:, None] - at[None, :]).min(axis=1)
    order: Ints = np.argsort(far, kind="stable")
    return order


def _fill(level: Floats, quota: Floats, count: Ints, ends: tuple[Floats, Floats]) -> Floats:
    """Return clip(quota x (level + own), *ends) with the ``own`` that makes rows sum to count."""
    least, room = ends
    base, scale = level * quota[:, None], quota[:, None]
    widest = float((room / np.maximum(scale, 1e-9)).max(initial=0.0))
    low = np.full(len(count), -level.max(initial=0.0) - 1.0)
    high = np.full(len(count), widest - min(0.0, float(level.min(initial=0.0))) + 1.0)
    sent = np.empty(room.shape)

    def send(own: Floats) -> None:
        np.multiply(scale, own[:, None], out=sent)
        np.add(base, sent, out=sent)
        np.maximum(sent, least, out=sent)
        np.minimum(sent, room, out=sent)

    for _ in range(_BISECTIONS):
        own = (low + high) / 2
        send(own)
        small = sent.sum(axis=1) < count
        low, high = np.where(small, own, low), np.where(small, high, own)
    send(high)
    kept = least.sum(axis=1)
    exact: Floats = (
        least
        + (sent - least) * ((count - kept) / np.maximum(sent.sum(axis=1) - kept, 1e-9))[:, None]
    )
    return np.minimum(exact, room)


def share_tubes(even: Floats, tubes: Ints, room: Ints, least: int, owed: Floats) -> Ints:
    """Return whole tubes ``[stream, wave]`` of one run near ``even``, which sums to ``tubes``.

    ``room[stream, wave]`` is never passed, ``least`` tubes bridge a wave; ``owed[wave]`` is what
    rounding has left before, and is updated.
    """
    rows: list[list[int]] = []
    debt = owed.tolist()  # plain numbers: a row is too short for arrays to pay
    for new, count, fits in zip(even.tolist(), tubes.tolist(), room.tolist(), strict=True):
        debt = [old + more for old, more in zip(debt, new, strict=True)]
        wanted = [max(due, 0.0) for due in debt]
        first, end = _span(wanted, count, fits, least)
        if count < least * (end - first):
            first, end = _window(np.array(debt), count, np.array(fits), least)
        out = [0] * len(fits)
        out[first:end] = round_to(wanted[first:end], count, fits[first:end], least)
        debt = [due - sent for due, sent in zip(debt, out, strict=True)]
        rows.append(out)
    owed[:] = debt
    return np.array(rows, dtype=np.int64).reshape(room.shape)


def _span(wanted: list[float], count: int, room: list[int], least: int) -> tuple[int, int]:
    """Return the waves from the first to before the end in which a bridge or more is wanted.

    It is widened, to later waves first, until it holds ``count`` tubes.
    """
    some = [wave for wave, tubes in enumerate(wanted) if tubes >= least / 2]
    first, end = (some[0], some[-1] + 1) if some else (0, len(wanted))
    while sum(room[first:end]) < count:
        first, end = (first, end + 1) if end < len(room) else (first - 1, end)
    return first, end


def _window(owed: Floats, count: int, room: Ints, least: int) -> tuple[int, int]:
    """Return the waves in a row that most are owed to, just enough to hold ``count`` tubes."""
    length = min(max(1, count // least), len(room))
    held = np.cumsum(np.r_[0, room])
    while length < len(room) and (held[length:] - held[:-length]).max() < count:
        length += 1
    sums = np.cumsum(np.r_[0.0, owed])
    gain = sums[length:] - sums[:-length]
    fits = held[length:] - held[:-length] >= count
    begin = int(np.argmax(np.where(fits, gain, -np.inf)))
    return begin, begin + length


def round_to(wanted: list[float], count: int, room: list[int], least: int) -> list[int]:
    """Return whole numbers near ``wanted`` that sum to ``count`` within the room."""
    lowest = [min(least, most) for most in room]
    if count < sum(lowest):
        lowest = [0] * len(room)
    out = [
        min(max(floor(tubes), low), most)
        for tubes, low, most in zip(wanted, lowest, room, strict=True)
    ]
    short = count - sum(out)
    while short:
        step, ends = (1, room) if short > 0 else (-1, lowest)
        free = [wave for wave, (now, end) in enumerate(zip(out, ends, strict=True)) if now != end]
        if not free:
            lowest = [0] * len(room)
            free = [wave for wave, now in enumerate(out) if now > 0]
        missed = [step * (now - tubes) for now, tubes in zip(out, wanted, strict=True)]
        some = sorted(free, key=missed.__getitem__)[: abs(short)]
        for wave in some:
            out[wave] += step
        short -= step * len(some)
    return out


def move_tubes(tubes: Ints, room: Ints, change: Ints, least: Ints | None = None) -> None:
    """Change ``tubes[row, wave]`` in place by ``change[wave]``, as far as rows have room.

    Sums of rows stay, and ``least[row]`` tubes (0 unless given) stay in each wave between the first
    and the last of a row, because a block cannot pause. Waves that want tubes are served in turn,
    from the nearest that have too many; each tube leaves the row that has most more in the wave it
    leaves than in the one it enters.
    """
    change = change.copy()
    bridge = np.zeros(len(tubes), dtype=np.int64) if least is None else least
    for target in np.flatnonzero(change > 0).tolist():
        sources = np.flatnonzero(change < 0)
        for source in sources[np.argsort(np.abs(sources - target), kind="stable")].tolist():
            count = min(change[target], -change[source])
            moved = _move_between(tubes, room, (source, target), int(count), bridge)
            change[source] += moved
            change[target] -= moved


def _move_between(tubes: Ints, room: Ints, waves: tuple[int, int], count: int, least: Ints) -> int:
    """Move up to ``count`` tubes from the first to the second wave; return how many did."""
    source, target = waves
    moved = 0
    while moved < count:
        free = (tubes[:, source] > least) & (tubes[:, target] < room[:, target])
        rows = np.flatnonzero(free & ((least == 0) | _reaches(tubes, target)))
        if not len(rows):
            break
        more = tubes[rows, source] - tubes[rows, target]
        some = rows[np.argsort(-more, kind="stable")[: count - moved]]
        tubes[some, source] -= 1
        tubes[some, target] += 1
        moved += len(some)
    return moved


def _reaches(tubes: Ints, wave: int) -> Flags:
    """Return which rows have tubes in a wave or next to it."""
    return np.asarray(tubes[:, max(wave - 1, 0) : wave + 2].any(axis=1), dtype=np.bool_)
