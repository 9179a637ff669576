"""Gambit's files written: `.efg` (extensive form) and `.nfg` (strategic form)."""

from __future__ import annotations

from arena.types import CHANCE
from games.adapters.gambit_forms import Efg, Infoset, Nfg

__all__ = ["write_efg", "write_nfg"]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_efg(game: Efg) -> str:
    """Return the file of an extensive form; `parse_efg` reads it back."""
    lines = [
        f"EFG 2 R {_quoted(game.title)} {{ {' '.join(map(_quoted, game.players))} }}",
        _quoted(game.comment),
        "",
    ]
    told: set[tuple[int, int]] = set()
    paid: set[int] = set()
    for node in game.nodes:
        words = ["t" if node.seat is None else "c" if node.seat == CHANCE else "p"]
        words.append(_quoted(node.name))
        if node.seat is not None:
            if node.seat != CHANCE:
                words.append(str(node.seat + 1))
            words.append(str(node.infoset))
            where = (node.seat, node.infoset)
            if where not in told:
                told.add(where)
                words += [_quoted(game.infosets[where].name), _written(game.infosets[where])]
        words.append(str(node.outcome))
        if node.outcome and node.outcome not in paid:
            paid.add(node.outcome)
            outcome = game.outcomes[node.outcome]
            words += [_quoted(outcome.name), f"{{ {', '.join(map(str, outcome.payoffs))} }}"]
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def _written(infoset: Infoset) -> str:
    if infoset.chances:
        pairs = zip(infoset.actions, infoset.chances, strict=True)
        return "{ " + " ".join(f"{_quoted(a)} {p}" for a, p in pairs) + " }"
    return "{ " + " ".join(map(_quoted, infoset.actions)) + " }"


def write_nfg(game: Nfg) -> str:
    """Return the file of a strategic form, payoff by payoff; `parse_nfg` reads it back."""
    form = game.form
    names = " ".join("{ " + " ".join(map(_quoted, seat)) + " }" for seat in form.action_names)
    head = [
        f"NFG 1 R {_quoted(form.title)} {{ {' '.join(map(_quoted, game.players))} }}",
        "",
        f"{{ {names} }}",
        _quoted(game.comment),
        "",
    ]
    rows = form.payoffs.transpose().reshape(-1, form.seats)
    return "\n".join([*head, *(" ".join(map(_decimal, row)) for row in rows.tolist())]) + "\n"


def _decimal(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
