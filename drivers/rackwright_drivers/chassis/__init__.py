"""Chassis drivers, one package a vendor."""
