"""Real Kubernetes API servers on loopback, for the tests and the demo: where the binaries come from, and how they run.

`python -m tests.kubelab fetch` fills the cache, `... run -- COMMAND` runs a command against a fresh control plane, and
`... up DIR` keeps one up until it is interrupted.
"""
