"""What kopf is told: it watches and writes nothing. The integration tests count that it does not."""

from itertools import islice

import kopf

from rackwright.handlers.settings import BACKOFF_MOST_SECONDS, Backoffs, NoDiffBase, settings


def test_backoffs_have_no_end_and_begin_anew_for_every_request() -> None:
    backoffs = Backoffs()
    first, second = (list(islice(backoffs, 200)) for _ in range(2))
    assert first[0] <= 0.75
    assert second[0] <= 0.75
    assert all(0 < seconds <= BACKOFF_MOST_SECONDS * 1.5 for seconds in first)
    assert first[-1] >= BACKOFF_MOST_SECONDS / 2
    assert not hasattr(backoffs, "__len__")  # a length would make kopf give up after so many


def test_kopf_keeps_nothing_in_objects() -> None:
    chosen = settings()
    assert isinstance(chosen.persistence.diffbase_storage, NoDiffBase)
    body = kopf.Body({"metadata": {"name": "a"}, "spec": {"x": 1}})
    assert chosen.persistence.diffbase_storage.build(body=body) is None
    patch = kopf.Patch()
    chosen.persistence.progress_storage.touch(body=body, patch=patch, value="now")
    assert not patch


def test_kopf_posts_nothing_and_scans_nothing() -> None:
    chosen = settings()
    assert not chosen.posting.enabled
    assert chosen.peering.standalone
    assert chosen.scanning.disabled


def test_a_watch_that_says_nothing_is_made_anew() -> None:
    watching = settings().watching
    assert watching.server_timeout is not None
    assert watching.client_timeout is not None
    assert watching.inactivity_timeout < watching.server_timeout < watching.client_timeout
