"""kopf's side: which watches there are, and with which settings. Nothing here decides anything."""
