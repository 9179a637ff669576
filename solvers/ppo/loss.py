"""The clipped objective (Schulman et al. 2017, eq. 7 and 9)."""

from __future__ import annotations

from typing import Any, NamedTuple

from solvers.ppo.network import masked_log_softmax

__all__ = ["Terms", "imitation_loss", "ppo_loss"]


class Terms(NamedTuple):
    """The loss and its parts, as scalars of torch.

    Attributes:
        loss: what is minimised: policy + value_weight · value − entropy_weight · entropy.
        policy: minus the clipped surrogate.
        value: half the mean squared error of the critic.
        entropy: mean entropy of the distributions over legal actions, in nats.
        kl: estimate of KL(old ‖ new), mean of r − 1 − log r.
        clipped: share of decisions whose ratio was outside the clip.
    """

    loss: Any
    policy: Any
    value: Any
    entropy: Any
    kl: Any
    clipped: Any


def ppo_loss(
    logits: Any,
    values: Any,
    *,
    legal: Any,
    actions: Any,
    old_log: Any,
    advantage: Any,
    target: Any,
    clip: float,
    value_weight: float,
    entropy_weight: float,
) -> Terms:
    """Return the loss of M decisions.

    Args:
        logits: of the actor, shape (M, A).
        values: of the critic, shape (M,).
        legal: mask, shape (M, A).
        actions: what was done, shape (M,).
        old_log: its log-probability then, shape (M,).
        advantage: shape (M,).
        target: of the critic, shape (M,).
        clip: ε.
        value_weight: of the critic's error.
        entropy_weight: of the entropy.
    """
    log = masked_log_softmax(logits, legal)
    # Where p = 0 the product p log p is 0, and so is its gradient.
    entropy = -(log.exp() * log.masked_fill(~legal, 0.0)).sum(dim=-1).mean()
    difference = log.gather(1, actions[:, None])[:, 0] - old_log
    ratio = difference.exp()
    bounded = ratio.clamp(1.0 - clip, 1.0 + clip)
    policy = -(ratio * advantage).minimum(bounded * advantage).mean()
    value = 0.5 * (values - target).square().mean()
    loss = policy + value_weight * value - entropy_weight * entropy
    outside = ((ratio - 1.0).abs() > clip).float().mean()
    return Terms(loss, policy, value, entropy, (ratio - 1.0 - difference).mean(), outside)


def imitation_loss(
    logits: Any, values: Any, *, legal: Any, actions: Any, target: Any, value_weight: float
) -> Terms:
    """Return the cross-entropy of a teacher's actions, and the critic's error.

    Args:
        logits: of the actor, shape (M, A).
        values: of the critic, shape (M,).
        legal: mask, shape (M, A).
        actions: what the teacher would do, shape (M,).
        target: of the critic, shape (M,).
        value_weight: of the critic's error.

    Returns:
        Terms whose `policy` is the cross-entropy, in nats, and whose `clipped` is the share
        of decisions where the teacher's action is the most probable one.
    """
    log = masked_log_softmax(logits, legal)
    policy = -log.gather(1, actions[:, None])[:, 0].mean()
    entropy = -(log.exp() * log.masked_fill(~legal, 0.0)).sum(dim=-1).mean()
    value = 0.5 * (values - target).square().mean()
    agreed = (log.argmax(dim=1) == actions).float().mean()
    return Terms(policy + value_weight * value, policy, value, entropy, policy * 0.0, agreed)
