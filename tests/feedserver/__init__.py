"""A real HTTP server on loopback that plays every feed, and faults on demand.

Where to look:

* ``routes.py``: which path belongs to which feed;
* ``openrouter.py``, ``vercel.py``, ``alibaba.py``, ``ecb.py``, ``huggingface.py``: what an endpoint
  answers to which parameters;
* ``bodies.py`` (hand-written fixtures) and ``recorded.py`` (recordings): where the data comes from;
* ``faults.py``: the table of all faults. What a fault puts in place of the answer is there too,
  what it does to a body is in ``mutations.py``, what it does to the sending in ``wire.py``.

From a shell: ``python -m tests.feedserver --help``.
"""

from tests.feedserver.bodies import FIXTURE_NOW, Bodies, Clock, FixtureBodies
from tests.feedserver.faults import FAULTS, faults_for
from tests.feedserver.recorded import RecordedBodies
from tests.feedserver.routes import FEEDS
from tests.feedserver.server import FeedServer, Request

__all__ = [
    "FAULTS",
    "FEEDS",
    "FIXTURE_NOW",
    "Bodies",
    "Clock",
    "FeedServer",
    "FixtureBodies",
    "RecordedBodies",
    "Request",
    "faults_for",
]
