"""The four kinds of failure, each with one policy; drivers raise these and nothing else.

DriverError
 +-- TransientError    try again later, with backoff: refused connection, time-out, device busy
 +-- PermanentError    no use trying until somebody changes something: refused credentials, unknown command
 +-- ConflictError     somebody else holds it: an owner's mark, a session, a lease that is no longer ours
 +-- UnsafeError       going on could destroy something: stop, and let a person decide

A message is one sentence that names what was done, to what, and what came back. It never holds a secret.
"""


class DriverError(Exception):
    """Base of the tree; never raised itself."""


class TransientError(DriverError):
    """May pass by itself: retried with backoff, after observing again."""


class PermanentError(DriverError):
    """Will not pass by itself: not retried until the object, its Secret or the device changes."""


class CredentialsRefusedError(PermanentError):
    """The device refused the credentials. Trying again could lock the account, so nobody does."""


class ConflictError(DriverError):
    """Somebody else holds what we wanted: look again soon, and say who it is."""


class UnsafeError(DriverError):
    """The facts do not prove that going on is safe: held for a person."""
