"""Agents: whatever can act, from one-line rules to searches, bots and other processes."""

from __future__ import annotations

from arena.registry import Entry

__all__ = ["ALIASES", "FAMILIES", "TABLE"]

TABLE: dict[str, Entry] = {
    "pettingzoo_policy": Entry(
        "agents.pettingzoo_policy:load",
        "plays a policy written for PettingZoo, given as policy=package.module:name",
    ),
    "rollout": Entry("agents.rollout:Rollout", "flat Monte Carlo search (simulations=64)"),
    "mds": Entry(
        "agents.searching:mds", "mirror descent search from any blueprint, cooperative games"
    ),
    "mmds": Entry("agents.searching:mmds", "magnetic mirror descent search, zero-sum games of two"),
    "uniform": Entry("agents.simple:Uniform", "picks every legal action equally often"),
    "first_legal": Entry("agents.simple:FirstLegal", "picks the legal action of least number"),
    "human": Entry("agents.human:Human", "you, at the terminal"),
    "tabular": Entry("agents.tabular:from_file", "plays a saved tabular policy (path=FILE.npz)"),
}
"""Single agents: id to entry."""

FAMILIES: dict[str, str] = {
    "bandits": "agents.bandits:FAMILY",
    "openspiel": "agents.openspiel_bot:FAMILY",
    "axelrod": "agents.axelrod:FAMILY",
    "hanabi": "agents.hanabi:FAMILY",
    "scripted": "agents.scripted:FAMILY",
    "skirmish": "agents.skirmish:FAMILY",
    "starcraft": "agents.starcraft:FAMILY",
}
"""Prefixes with many agents below them: prefix to the target of a `Family`."""

_SCRIPTED = (
    "always_cooperate",
    "always_defect",
    "fictitious_play",
    "generous_tit_for_tat",
    "grim_trigger",
    "q_learning",
    "regret_matching",
    "tit_for_tat",
    "win_stay_lose_shift",
)
ALIASES: dict[str, str] = {
    "random": "uniform",
    **{name: f"scripted/{name}" for name in _SCRIPTED},
    "friedman": "scripted/grim_trigger",
    "pavlov": "scripted/win_stay_lose_shift",
}
"""Short names."""
