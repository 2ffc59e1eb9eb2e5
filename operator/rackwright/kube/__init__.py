"""The Kubernetes side: API client, store, Lease. The only package, with `handlers`, that knows Kubernetes."""
