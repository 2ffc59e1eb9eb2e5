"""Simulated hardware: one model of an SM15000 with an in-process face (the contract) and a wire face (SSH)."""
