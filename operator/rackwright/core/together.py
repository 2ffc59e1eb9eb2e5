"""Doing many small things side by side: a rack has dozens of objects, and a store is often a network away."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")

AT_A_TIME = 8


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do these, a few at a time, in no order. All have ended when it returns; then the first error, if any, is raised."""
    slots = asyncio.Semaphore(AT_A_TIME)

    async def one(work: Coroutine[Any, Any, T]) -> T:
        async with slots:
            return await work

    begun = list(works)
    try:
        ended = await asyncio.gather(*(one(work) for work in begun), return_exceptions=True)
    finally:
        for work in begun:
            work.close()  # one that was cancelled before its turn came; for the others it does nothing
    results: list[T] = []
    for result in ended:
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results
