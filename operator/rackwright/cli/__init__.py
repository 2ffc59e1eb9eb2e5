"""The command line: `rackwright`, also `kubectl rackwright`."""
