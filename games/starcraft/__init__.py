"""StarCraft II: SMAC's battles and the SC2LE mini-games in the real engine; `docs/starcraft.md`."""
