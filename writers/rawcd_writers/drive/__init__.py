"""Recorders: commands, transports, and the burn itself (MMC, SPC)."""
