"""Decision-time planning: mirror steps on action values estimated at the decision."""
