"""The numbers of a variant, and where things stand in the row of an episode.

An episode is one row of int16, so that N episodes are one array (N, W), a clone is a copy
of a row, and a kernel takes two arrays: the row and the numbers of the variant (`CFG_*`).

Fields of a row (offsets are constants, so that kernels know them when they are compiled):

    LIVE … OUTCOME  scalars, see below
    FIREWORKS       cards played of each colour, 5
    DISCARDS        cards lost (discarded or misplayed) by card, 40
    SIZES           cards in each hand, 5
    HANDS           position in the deck of every card held, oldest first, hand after hand, 50
    DECK            the card at each position of the deck, −1 if it is not known, 50
    KNOWN           what hints say about the card at each position of the deck, 50
    LOG             two numbers a move: the action; the cards touched (bit i: slot i) of a
                    hint, or the card's position in the deck of a play or discard

A card is `colour * 8 + rank`, rank 0 being the 1, so that kernels need no division. An
entry of KNOWN has bits 0–4 for the colours the card may have, 5–9 for the ranks, 10 if its
colour was told, 11 if its rank.
"""

from __future__ import annotations

__all__ = [
    "ANY_CARD",
    "CFG_ACTIONS",
    "CFG_AT_ONCE",
    "CFG_COLORS",
    "CFG_COPIES",
    "CFG_DECK",
    "CFG_HAND",
    "CFG_INFORMATION",
    "CFG_KEEP_SCORE",
    "CFG_LENGTH",
    "CFG_LIVES",
    "CFG_MOVES",
    "CFG_PLAYERS",
    "CFG_RANDOM_START",
    "CFG_RANKS",
    "CFG_SEER",
    "CFG_SHOW_KNOWLEDGE",
    "CFG_SIZE",
    "CFG_SPREAD",
    "COLOR_TOLD",
    "DEALT",
    "DECK",
    "DISCARDS",
    "FIREWORKS",
    "HANDS",
    "INFORMATION",
    "KNOWN",
    "LEFT",
    "LENGTH",
    "LIVE",
    "LIVES",
    "LOG",
    "MAX_CARDS",
    "OUTCOME",
    "RANK_TOLD",
    "SCORE",
    "SIZES",
    "START",
    "TURN",
]

MAX_CARDS = 50

# -- the row of an episode ------------------------------------------------------------------
LIVE = 0  # 1 until the episode is over
TURN = 1  # seat to move
LIVES = 2  # life tokens left
INFORMATION = 3  # information tokens left
SCORE = 4  # cards in the fireworks
DEALT = 5  # cards dealt: the position in the deck of the next one
LEFT = 6  # turns left once the deck is empty
LENGTH = 7  # moves made
START = 8  # seat that moved first, −1 while chance has not said
OUTCOME = 9  # of the last move: bit 0 a card was played well, bit 1 a token came back
FIREWORKS = 16
DISCARDS = 21
SIZES = 61
HANDS = 66
DECK = 116
KNOWN = 166
LOG = 216

# -- the numbers of a variant ---------------------------------------------------------------
CFG_PLAYERS = 0
CFG_COLORS = 1
CFG_RANKS = 2
CFG_HAND = 3
CFG_INFORMATION = 4
CFG_LIVES = 5
CFG_SHOW_KNOWLEDGE = 6  # the tensor tells what hints say
CFG_SEER = 7  # every hint is given beforehand
CFG_RANDOM_START = 8
CFG_KEEP_SCORE = 9  # the fireworks count although the last life is lost
CFG_AT_ONCE = 10  # the game ends as the last card is drawn, without a last round
CFG_DECK = 11  # cards in the deck
CFG_ACTIONS = 12
CFG_LENGTH = 13  # greatest number of moves
CFG_COPIES = 16  # copies of a card by rank, 5
CFG_MOVES = 24  # by action: kind + 4 * seats on + 32 * (slot, colour or rank), MAX_ACTIONS
CFG_SPREAD = 84  # by set of colours: the bits c * ranks of its colours c, 32
CFG_SIZE = 84 + 32

# -- knowledge of a card --------------------------------------------------------------------
ANY_CARD = 0b11111_11111
COLOR_TOLD = 1 << 10
RANK_TOLD = 1 << 11
