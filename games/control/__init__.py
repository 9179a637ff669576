"""Adversarial control: a controller moves a plant, an adversary disturbs it, zero-sum.

`adversarial/point_mass` is a plant of our own; the others are gymnasium environments.
"""
