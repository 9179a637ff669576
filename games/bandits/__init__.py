"""Restless bandits: arms that change by themselves, and which of them may be acted on.

`constraints.FeasibleSet` says which joint actions are allowed, `form.RestlessBandit` what
they do; `catalog` holds the bandits that can be made by name.
"""
