"""Solvers: a form of a game in, a certified policy out."""

from __future__ import annotations

from arena.registry import Entry

__all__ = ["ALIASES", "FAMILIES", "TABLE"]

_TREE = {"form": "tree"}
_ZERO_SUM_TREE = {"form": "tree", "seats": "2", "payoff": "zero_sum"}

TABLE: dict[str, Entry] = {
    "auto": Entry("solvers.tree.auto:auto", "what suits the game, or the best of a race", _TREE),
    "cfr": Entry("solvers.tree.cfr:cfr", "counterfactual regret minimisation", _TREE),
    "cfr+": Entry("solvers.tree.cfr:cfr_plus", "CFR, floored, linear averaging", _TREE),
    "dcfr": Entry("solvers.tree.cfr:dcfr", "discounted CFR", _TREE),
    "hs_dcfr": Entry("solvers.tree.cfr:hs_dcfr", "discounted CFR on a schedule", _TREE),
    "hs_pcfr+": Entry("solvers.tree.cfr:hs_pcfr_plus", "predictive CFR+ on a schedule", _TREE),
    "lcfr": Entry("solvers.tree.cfr:lcfr", "linear CFR", _TREE),
    "mccfr_external": Entry(
        "solvers.tree.mccfr:mccfr_external", "CFR, chance and others sampled", _TREE
    ),
    "mccfr_outcome": Entry(
        "solvers.tree.mccfr:mccfr_outcome", "CFR, whole episodes sampled", _TREE
    ),
    "mmd": Entry(
        "solvers.tree.mmd:mmd", "mirror descent to the QRE at a temperature", _ZERO_SUM_TREE
    ),
    "mmd_nash": Entry(
        "solvers.tree.mmd:mmd_nash", "mirror descent with a moving magnet", _ZERO_SUM_TREE
    ),
    "pcfr+": Entry("solvers.tree.cfr:pcfr_plus", "predictive CFR+", _TREE),
    "pdcfr+": Entry("solvers.tree.cfr:pdcfr_plus", "predictive discounted CFR+", _TREE),
    "sequence_form_lp": Entry(
        "solvers.tree.sequence_form:sequence_form_lp", "exact, by HiGHS", _ZERO_SUM_TREE
    ),
    "xfp": Entry("solvers.tree.fictitious_play:xfp", "extensive-form fictitious play", _TREE),
}
"""Single solvers: id to entry."""

FAMILIES: dict[str, str] = {}
"""Prefixes with many solvers below them."""

ALIASES: dict[str, str] = {}
"""Short names."""
