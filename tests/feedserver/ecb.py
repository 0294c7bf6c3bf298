"""The ECB's reference rates, cut from one history file to what was published at the clock."""

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.feedserver.answers import XML, Answer, not_played
from tests.feedserver.bodies import Bodies

#: Rates come out around 16:00 in Frankfurt, which is 15:00 UTC at the latest.
_PUBLISHED = "15:00"

_ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" \
xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
\t<gesmes:subject>Reference rates</gesmes:subject>
\t<gesmes:Sender>
\t\t<gesmes:name>European Central Bank</gesmes:name>
\t</gesmes:Sender>
\t<Cube>
\t\t<Cube time='{day}'>
{rates}
\t\t</Cube>
\t</Cube>
</gesmes:Envelope>
"""


def daily_xml(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
    """``eurofxref-daily.xml``: the newest day."""
    lines = _published(bodies, now)
    if len(lines) < 2:
        return not_played("a reference rate at this time")
    currencies = lines[0].rstrip(",").split(",")[1:]
    day, *values = lines[1].rstrip(",").split(",")
    rates = "\n".join(
        f"\t\t\t<Cube currency='{currency}' rate='{rate}'/>"
        for currency, rate in zip(currencies, values, strict=True)
        if rate != "N/A"
    )
    return Answer(_ENVELOPE.format(day=day, rates=rates).encode(), content_type=XML)


def hist_zip(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
    """``eurofxref-hist.zip``: all days, newest first."""
    lines = _published(bodies, now)
    if len(lines) < 2:
        return not_played("a reference rate at this time")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        # A fixed time stamp: the same content is the same bytes, hence the same ETag.
        out.writestr(zipfile.ZipInfo("eurofxref-hist.csv"), "\n".join(lines) + "\n")
    return Answer(archive.getvalue(), content_type="application/zip")


def _published(bodies: Bodies, now: datetime) -> list[str]:
    text = bodies.fx_history()
    if text is None:
        return []
    stamp = now.astimezone(UTC)
    today, time = stamp.strftime("%Y-%m-%d %H:%M").split()
    head, *days = text.split()
    return [
        head,
        *(
            line
            for line in days
            if line[:10] < today or (line[:10] == today and time >= _PUBLISHED)
        ),
    ]
