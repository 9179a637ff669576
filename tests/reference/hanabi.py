"""Hanabi written to be read: cards as objects, hands as lists. The twin of the kernels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from arena.rng import Stream
from games.hanabi import Variant


@dataclass
class Card:
    color: int
    rank: int
    colors: set[int]  # what hints leave
    ranks: set[int]
    color_told: bool = False
    rank_told: bool = False
    place: int = 0  # in the hand, if a card drawn takes the place of the one that was used


@dataclass
class Table:
    variant: Variant
    deck: list[tuple[int, int]]  # the next card first
    turn: int
    hands: list[list[Card]] = field(default_factory=list)
    fireworks: list[int] = field(default_factory=list)
    discards: list[tuple[int, int]] = field(default_factory=list)
    information: int = 0
    lives: int = 0
    left: int = 0
    over: bool = False
    last: dict[str, object] | None = None

    def draw(self, seat: int, place: int) -> None:
        color, rank = self.deck.pop(0)
        card = Card(color, rank, set(range(self.variant.colors)), set(range(self.variant.ranks)))
        if self.variant.observation_type == "seer":
            card.colors, card.ranks = {color}, {rank}
            card.color_told = card.rank_told = True
        card.place = place
        self.hands[seat].append(card)

    def score(self) -> int:
        lost = self.lives == 0 and self.variant.lost_score == "zero"
        return 0 if lost else sum(self.fireworks)

    def legal(self) -> list[int]:
        return [a for a in range(self.variant.actions) if not self.over and self.allowed(a)]

    def allowed(self, action: int) -> bool:
        kind, one, two = self.variant.action(action)
        if kind in ("discard", "play"):
            free = kind == "play" or self.information < self.variant.max_information_tokens
            return free and one < len(self.hands[self.turn])
        hand = self.hands[(self.turn + one) % self.variant.players]
        return self.information > 0 and any(
            (card.color if kind == "color" else card.rank) == two for card in hand
        )

    def step(self, action: int) -> None:
        kind, one, two = self.variant.action(action)
        seat, last_round = self.turn, not self.deck
        self.turn = (seat + 1) % self.variant.players
        self.last = {"seat": seat, "kind": kind}
        if kind in ("discard", "play"):
            card = self.hands[seat].pop(one)
            good = kind == "play" and self.fireworks[card.color] == card.rank
            full = self.information == self.variant.max_information_tokens
            back = kind == "discard" or (good and card.rank == self.variant.ranks - 1 and not full)
            self.information += back
            if good:
                self.fireworks[card.color] += 1
            else:
                self.discards.append((card.color, card.rank))
            self.lives -= kind == "play" and not good
            self.last |= {"slot": one, "card": card, "good": good, "back": good and back}
        else:
            self.information -= 1
            target = (seat + one) % self.variant.players
            touched = []
            for slot, card in enumerate(self.hands[target]):
                if kind == "color":
                    hit = card.color == two
                    card.colors = {two} if hit else card.colors - {two}
                    card.color_told |= hit
                else:
                    hit = card.rank == two
                    card.ranks = {two} if hit else card.ranks - {two}
                    card.rank_told |= hit
                touched += [slot] if hit else []
            self.last |= {"target": target, "value": two, "touched": touched}
        self.left -= last_round
        complete = sum(self.fireworks) == self.variant.max_score
        self.over = self.lives == 0 or complete or (last_round and self.left == 0)
        if kind in ("discard", "play") and not self.over and self.deck:
            self.draw(seat, card.place)
            self.over = not self.deck and self.variant.end_of_deck == "at_once"

    def encode(self, seat: int) -> np.ndarray:
        v = self.variant
        order = [(seat + k) % v.players for k in range(v.players)]
        out: list[float] = []

        def one_hot(index: int | None, size: int) -> None:
            out.extend(float(i == index) for i in range(size))

        def filled(count: int, size: int) -> None:
            out.extend(float(i < count) for i in range(size))

        for other in order[1:]:
            for slot in range(v.cards_held):
                hand = self.hands[other]
                at = hand[slot].color * v.ranks + hand[slot].rank if slot < len(hand) else None
                one_hot(at, v.max_score)
        out += [float(len(self.hands[other]) < v.cards_held) for other in order]
        filled(len(self.deck), v.deck_size - v.players * v.cards_held)
        for height in self.fireworks:
            one_hot(height - 1, v.ranks)
        filled(self.information, v.max_information_tokens)
        filled(self.lives, v.max_life_tokens)
        for color in range(v.colors):
            for rank in range(v.ranks):
                filled(self.discards.count((color, rank)), v.copies[rank])
        last: dict = dict(self.last or {})
        kinds = ["play", "discard", "color", "rank"]
        one_hot(order.index(last["seat"]) if last else None, v.players)
        one_hot(kinds.index(last["kind"]) if last else None, 4)
        one_hot(order.index(last["target"]) if "target" in last else None, v.players)
        one_hot(last["value"] if last.get("kind") == "color" else None, v.colors)
        one_hot(last["value"] if last.get("kind") == "rank" else None, v.ranks)
        out += [float(slot in last.get("touched", [])) for slot in range(v.cards_held)]
        one_hot(last.get("slot"), v.cards_held)
        used = last.get("card")
        one_hot(used.color * v.ranks + used.rank if used else None, v.max_score)
        out += [float(bool(last.get("good"))), float(bool(last.get("back")))]
        if v.observation_type != "minimal":
            for other in order:
                for slot in range(v.cards_held):
                    card = self.hands[other][slot] if slot < len(self.hands[other]) else None
                    for color in range(v.colors):
                        for rank in range(v.ranks):
                            may = card and color in card.colors and rank in card.ranks
                            out.append(float(bool(may)))
                    one_hot(card.color if card and card.color_told else None, v.colors)
                    one_hot(card.rank if card and card.rank_told else None, v.ranks)
        return np.array(out, dtype=np.float32)


def start(variant: Variant, seed: int) -> Table:
    """Deal as the engine does: from the sorted deck, Knuth's shuffle from the end."""
    stream = Stream(seed)
    first = stream.below(variant.players) if variant.random_start_player else 0
    deck = [
        (color, rank)
        for color in range(variant.colors)
        for rank in range(variant.ranks)
        for _ in range(variant.copies[rank])
    ]
    for i in range(len(deck) - 1, 0, -1):
        j = stream.below(i + 1)
        deck[i], deck[j] = deck[j], deck[i]
    table = Table(variant, deck, first)
    table.hands = [[] for _ in range(variant.players)]
    table.fireworks = [0] * variant.colors
    table.information, table.lives = variant.max_information_tokens, variant.max_life_tokens
    table.left = variant.players
    for seat in range(variant.players):
        for place in range(variant.cards_held):
            table.draw(seat, place)
    return table
