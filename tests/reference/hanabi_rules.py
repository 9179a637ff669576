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


def placed(hand: list[Card]) -> list[Card]:
    return sorted(hand, key=lambda card: card.place)


def kinds(table: Table, me: int, card: Card) -> list[tuple[Kind, int]]:
    """What an own card may be, with the copies unseen."""
    left = copies_unseen(table, me)
    return [((c, r), left[c, r]) for c in card.colors for r in card.ranks if left[c, r] > 0]


def odds(table: Table, me: int, card: Card, wanted: str) -> float:
    test = playable if wanted == "playable" else dead
    fits = kinds(table, me, card)
    return sum(n for k, n in fits if test(table, k)) / sum(n for _, n in fits)


def likeliest(table: Table, me: int, wanted: str) -> tuple[float, int]:
    """The greatest probability and the last card, by place, that has it."""
    best = max(
        placed(table.hands[me]), key=lambda card: (odds(table, me, card, wanted), card.place)
    )
    return odds(table, me, best, wanted), table.hands[me].index(best)


def others(table: Table, me: int) -> Iterable[tuple[int, Card]]:
    v = table.variant
    for step in range(1, v.players):
        for card in placed(table.hands[(me + step) % v.players]):
            yield step, card


def by_seat(table: Table, me: int) -> Iterable[tuple[int, Card]]:
    for seat, hand in enumerate(table.hands):
        if seat != me:
            for card in placed(hand):
                yield (seat - me) % table.variant.players, card


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
                if len(card.ranks) > 1:
                    return hint(table, step, None, card.rank)
                if len(card.colors) > 1:
                    return hint(table, step, card.color, None)
                if wanted == "dead":  # that rule looks at one such card only
                    return None
    return None


def tell_dispensable(table: Table, me: int) -> int | None:
    if not table.information:
        return None
    for step, card in by_seat(table, me):
        height = table.fireworks[card.color]
        color, rank = len(card.colors) == 1, len(card.ranks) == 1
        if not color and height == table.variant.ranks:
            return hint(table, step, card.color, None)
        if not rank and card.rank < min(table.fireworks):
            return hint(table, step, None, card.rank)
        if color != rank and card.rank < height:
            known = card.rank if color else None
            return hint(table, step, card.color, known)
    return None


def tell_most(table: Table, me: int) -> int | None:
    v = table.variant
    gains: dict[tuple[int, int], tuple[int, int]] = {}
    for step, card in by_seat(table, me):
        seat = (me + step) % v.players
        told = []
        if len(card.ranks) > 1:
            told.append(((seat, card.rank), hint(table, step, None, card.rank)))
        if len(card.colors) > 1:
            told.append(((seat, v.ranks + card.color), hint(table, step, card.color, None)))
        for key, action in told:
            gains[key] = (gains.get(key, (0, 0))[0] + 1, action)
    if not table.information or not gains:
        return None
    return gains[min(gains, key=lambda key: (-gains[key][0], key))][1]


def sure(table: Table, me: int) -> int | None:
    for card in placed(table.hands[me]):
        if odds(table, me, card, "playable") == 1.0:
            return table.hands[me].index(card)
    return None


def named(table: Table, me: int) -> int | None:
    for card in placed(table.hands[me]):
        single = len(card.colors) == len(card.ranks) == 1
        if single and playable(table, (min(card.colors), min(card.ranks))):
            return table.hands[me].index(card)
    return None


def known_dead(table: Table, me: int) -> int | None:
    v = table.variant
    for card in placed(table.hands[me]):
        color = min(card.colors) if len(card.colors) == 1 else None
        rank = min(card.ranks) if len(card.ranks) == 1 else None
        complete = color is not None and table.fireworks[color] == v.ranks
        low = rank is not None and rank < min(table.fireworks)
        by_name = color is not None and rank is not None and dead(table, (color, rank))
        if complete or low or by_name:
            return table.hands[me].index(card)
    for card in placed(table.hands[me]):
        if len(card.colors) == 1:
            fits = [k for k, _ in kinds(table, me, card)]
            if all(dead(table, k) and k[1] >= table.fireworks[k[0]] for k in fits):
                return table.hands[me].index(card)
    return None


def next_seat(table: Table, legal: list[int]) -> list[int]:
    """Hints to the next seat, else all that is legal."""
    v = table.variant
    colors = range(2 * v.cards_held, 2 * v.cards_held + v.colors)
    start = 2 * v.cards_held + (v.players - 1) * v.colors
    return [a for a in legal if a in colors or a in range(start, start + v.ranks)] or legal


def options(name: str, table: Table) -> list[int]:
    """The moves that the bot draws from."""
    me, v = table.turn, table.variant
    held, legal = v.cards_held, table.legal()
    may_discard = table.information < v.max_information_tokens
    spare = table.lives > 1
    chance, likely = likeliest(table, me, "playable")
    waste, useless = likeliest(table, me, "dead")
    play: int | None
    wish: list[int | None] = []
    if name == "iggi":
        play = named(table, me)
        play = sure(table, me) if play is None else play
        wish += [None if play is None else held + play, tell_of(table, me, "playable")]
    elif name == "piers":
        play = likely if spare and not table.deck else sure(table, me)
        play = likely if play is None and spare and chance >= 0.6 else play
        wish += [None if play is None else held + play, tell_of(table, me, "playable")]
        wish.append(tell_dispensable(table, me) if table.information < 4 else None)
    else:
        play = (likely if chance >= 0.6 else None) if spare else sure(table, me)
        wish.append(None if play is None else held + play)
        wish.append(useless if waste == 1.0 and may_discard else None)
        wish += [tell_of(table, me, "playable"), tell_of(table, me, "dead")]
        wish += [tell_most(table, me), useless]
    if name != "van_den_bergh":
        if not may_discard and all(w is None for w in wish):
            return next_seat(table, legal)
        wish.append(known_dead(table, me) or 0)
    first = next(w for w in wish if w is not None)
    return [first] if first in legal else legal
