"""The four kinds as typed models: what a manifest may say, and what a status says back. Pure; knows no vendor."""
