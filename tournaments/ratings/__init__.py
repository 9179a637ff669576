"""From results to ratings: one method a module, all fed by `tournaments.records.ResultSet`."""
