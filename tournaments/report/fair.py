"""Which matches to keep when not all of them fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tournaments.report.data import Match

__all__ = ["by_need"]


def by_need(matches: Sequence[Match]) -> list[int]:
    """Return positions in `matches` in the order in which they should be kept.

    Forfeits come first, then the first match of every seating, then the second of every
    seating, and so on, so that whatever is cut off, something of everything stays.
    """
    met: Counter[tuple[int, ...]] = Counter()
    keyed: list[tuple[int, int]] = []
    for place, match in enumerate(matches):
        seating = (match.game, *match.seating)
        keyed.append((0 if match.offender >= 0 else 1 + met[seating], place))
        met[seating] += 1
    return [place for _, place in sorted(keyed)]
