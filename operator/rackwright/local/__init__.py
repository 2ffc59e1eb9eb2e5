"""The store that needs no cluster: a folder of manifests, one JSON file of state an object, and a journal."""
