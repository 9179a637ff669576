"""The rule lists IGGI, Piers and Van den Bergh, rule by rule: the twin of the kernels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.reference.hanabi import Card, Table

Kind = tuple[int, int]


def copies_unseen(table: Table, me: int) -> Counter[Kind]:
    v = table.variant
    left = Counter({(c, r): v.copies[r] for c in range(v.colors) for r in range(v.ranks)})
    left.subtract(table.discards)
    left.subtract((c, r) for c, height in enumerate(table.fireworks) for r in range(height))
    for seat, hand in enumerate(table.hands):
        if seat != me:
            left.subtract((card.color, card.rank) for card in hand)
    return left


def playable(table: Table, kind: Kind) -> bool:
    return table.fireworks[kind[0]] == kind[1]


def dead(table: Table, kind: Kind) -> bool:
    color, rank = kind
    height = table.fireworks[color]
    lost = Counter(table.discards)
    below = range(height, rank)
    return rank < height or any(lost[color, r] == table.variant.copies[r] for r in below)


def odds(table: Table, me: int, wanted: str) -> list[float]:
    """Probability of each own card, given hints and what is seen."""
    left = copies_unseen(table, me)
    test = playable if wanted == "playable" else dead
    out = []
    for card in table.hands[me]:
        kinds = [(c, r) for c in card.colors for r in card.ranks]
        total = sum(left[k] for k in kinds)
        out.append(sum(left[k] for k in kinds if test(table, k)) / total)
    return out


def others(table: Table, me: int) -> Iterable[tuple[int, Card]]:
    v = table.variant
    for step in range(1, v.players):
        for card in table.hands[(me + step) % v.players]:
            yield step, card


def hint(table: Table, step: int, color: int | None, rank: int | None) -> int:
    v = table.variant
    if rank is None:
        assert color is not None
        return 2 * v.cards_held + (step - 1) * v.colors + color
    return 2 * v.cards_held + (v.players - 1) * v.colors + (step - 1) * v.ranks + rank


def tell_of(table: Table, me: int, wanted: str) -> int | None:
    test = playable if wanted == "playable" else dead
    if table.information:
        for step, card in others(table, me):
            if test(table, (card.color, card.rank)):
                if not card.rank_told:
                    return hint(table, step, None, card.rank)
                if not card.color_told:
                    return hint(table, step, card.color, None)
    return None


def tell_most(table: Table, me: int) -> int | None:
    gains: dict[int, int] = {}
    for step, card in others(table, me):
        if not card.color_told:
            told = hint(table, step, card.color, None)
            gains[told] = gains.get(told, 0) + 1
        if not card.rank_told:
            told = hint(table, step, None, card.rank)
            gains[told] = gains.get(told, 0) + 1
    if not table.information or not gains:
        return None
    v = table.variant
    colors = 2 * v.cards_held + (v.players - 1) * v.colors

    def order(action: int) -> tuple[int, int, int]:  # seat by seat, colours first
        if action < colors:
            return (-gains[action], (action - 2 * v.cards_held) // v.colors, action)
        return (-gains[action], (action - colors) // v.ranks, action)

    return min(gains, key=order)


def options(name: str, table: Table) -> list[int]:
    """The moves that the bot draws from."""
    me, v = table.turn, table.variant
    held = v.cards_held
    plays, waste = odds(table, me, "playable"), odds(table, me, "dead")
    best, useless = plays.index(max(plays)), waste.index(max(waste))
    may_discard = table.information < v.max_information_tokens
    legal = table.legal()
    wish: list[int | None] = []
    spare = table.lives > 1
    if name == "iggi":
        wish.append(held + best if max(plays) == 1.0 else None)
        wish.append(tell_of(table, me, "playable"))
        wish.append(useless if max(waste) == 1.0 else 0)
    elif name == "piers":
        brave = spare and (max(plays) >= 0.6 or not table.deck)
        wish.append(held + best if max(plays) == 1.0 or brave else None)
        wish.append(tell_of(table, me, "playable"))
        wish.append(tell_of(table, me, "dead") if table.information < 4 else None)
        if not may_discard and not any(w is not None for w in wish):
            return [a for a in legal if a >= 2 * held] or legal
        wish.append(useless if max(waste) == 1.0 else 0)
    else:
        wish.append(held + best if max(plays) >= (0.6 if spare else 1.0) else None)
        wish.append(useless if max(waste) == 1.0 and may_discard else None)
        wish.append(tell_of(table, me, "playable"))
        wish.append(tell_of(table, me, "dead"))
        wish.append(tell_most(table, me))
        wish.append(useless)
    first = next(w for w in wish if w is not None)
    return [first] if first in legal else legal
