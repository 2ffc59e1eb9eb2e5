"""The contract between the operator's core and every driver: states, actions, results, errors. No input or output."""
