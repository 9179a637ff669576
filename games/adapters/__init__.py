"""Games of other libraries behind arena's interface, and arena's games behind theirs."""
