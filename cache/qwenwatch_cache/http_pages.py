"""Lists that come in pages, as one list."""

import hashlib
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
from msgspec.structs import replace

from qwenwatch_cache.clock import Clock
from qwenwatch_cache.http import ATTEMPTS, LARGEST_BODY, Answer, Refused, be_patient, get

MOST_PAGES = 20
"""Pages of one list after which it is taken for endless."""


async def get_pages(
    client: httpx.AsyncClient,
    url: str,
    *,
    clock: Clock,
    headers: Mapping[str, str] | None = None,
    most: int = MOST_PAGES * ATTEMPTS,
) -> Answer:
    """Get a JSON list that comes in pages, as one list.

    The Link header's "next" is followed on the same host and path: only its query is used, so that
    it also works through a mirror and leads nowhere else.

    Args:
        client: What to ask with.
        url: The address of the first page.
        clock: Says what time it is.
        headers: Sent beside the client's own.
        most: How many requests may be made, retries included.

    Raises:
        Refused: A page did not come or is no list, there are too many, or they are too large.
    """
    earlier: list[Refused] = []
    further: list[str] = []
    try:
        return await _all_pages(client, url, clock, headers, most, earlier, further)
    except Refused as error:
        error.earlier = (*earlier, *error.earlier)
        error.pages = tuple(further)
        raise


async def _all_pages(
    client: httpx.AsyncClient,
    url: str,
    clock: Clock,
    headers: Mapping[str, str] | None,
    most: int,
    earlier: list[Refused],
    further: list[str],
) -> Answer:
    """All pages as one answer; `earlier` and `further` also tell what was asked in vain."""
    pages: list[bytes] = []
    here = urlsplit(url)
    while True:
        attempts = min(ATTEMPTS, most - len(pages) - len(earlier))
        if attempts < 1:
            raise Refused("the list goes on, and today's budget does not", status=200)
        if pages:
            further.append(here.geturl())
        answer = await get(client, here.geturl(), clock=clock, headers=headers, attempts=attempts)
        earlier += answer.earlier
        page = answer.body.strip()
        if not (page.startswith(b"[") and page.endswith(b"]")):
            if not pages:
                return answer  # not a list at all: the parser says what is wrong with it
            raise Refused(f"page {len(pages) + 1} of the answer is not a list", status=200)
        pages.append(page[1:-1].strip())
        if sum(map(len, pages)) > LARGEST_BODY:
            raise Refused(f"the pages hold more than {LARGEST_BODY // 1024**2} MB", status=200)
        if not answer.next_page:
            break
        following = urlsplit(answer.next_page)
        if not here.path.endswith(following.path) or following.query == here.query:
            raise Refused("the list goes on at an address that is not its own", status=200)
        if len(pages) == MOST_PAGES:
            raise Refused(f"the list has more than {MOST_PAGES} pages", status=200)
        here = here._replace(query=following.query)
        await be_patient(answer.rest)
    body = b"[" + b",".join(page for page in pages if page) + b"]"
    digest = hashlib.sha256(body).hexdigest()
    return replace(answer, body=body, sha256=digest, earlier=tuple(earlier), pages=tuple(further))
