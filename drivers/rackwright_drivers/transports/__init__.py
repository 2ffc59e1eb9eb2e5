"""Ways to reach a device: sessions, time-outs, redaction. Nothing here knows a vendor."""
