"""Drivers: what Rackwright can observe and change, and the contract that the operator plans against."""
