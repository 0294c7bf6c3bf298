"""`qwenwatch check`: published figures against the data. Imports Polars."""

import argparse
from collections.abc import Collection, Sequence

from qwenwatch.commands.answering import answer_question
from qwenwatch.commands.context import read_config
from qwenwatch.commands.fetching import fetch
from qwenwatch.exit_codes import ExitCode
from qwenwatch.own_claims import all_claims
from qwenwatch.session import Session
from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.claims.reading import claims_of
from qwenwatch_cache.market.check import Checked
from qwenwatch_cache.market.check_all import check_all
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.missing import Missing
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.claims import claims_answer

WRAP = 110
"""Letters of a line of the details as text."""


def run_check(options: argparse.Namespace) -> int:
    """Check claims and print what the data makes of them.

    Raises:
        ClaimError: The file of claims cannot be used.
        StoreError: What was fetched cannot be stored.
        ValueError: There is no claim of that name.
    """
    if options.fetch and options.known_at:
        raise ValueError("--fetch asks the feeds now, and --known-at is about the past")
    config = read_config(options)
    claims = all_claims(config) if options.file is None else claims_of(options.file)
    wanted = _wanted(claims, options.claims)
    contradicted = failed = False

    def ask(session: Session, known: Known) -> Answer:
        nonlocal contradicted, failed
        asked = _with_linked(claims, wanted)
        found, sentences = check_all(known, asked)
        if options.fetch:
            outcomes = fetch(session, options, _missing(found, wanted))
            failed = any(one.state == "failed" for one in outcomes)
            if any(one.state == "stored" for one in outcomes):
                known = session.known()
                found, sentences = check_all(known, asked)
        checked = [one for one in found if one.claim.id in wanted]
        contradicted = any(one.verdict == "contradicted" for one in checked)
        own = [one for one in sentences if wanted & set(one.ids)]
        in_full = bool(options.claims) or options.detail or options.format == "md"
        wrap = WRAP if options.format == "text" else 0
        return claims_answer(checked, own, known.at, detail=in_full, wrap=wrap)

    status = answer_question(options, ask)
    if options.strict and contradicted and status == ExitCode.GOOD:
        return ExitCode.CHECK_FAILED
    return ExitCode.FEED_FAILED if failed and status == ExitCode.GOOD else status


def _missing(found: Sequence[Checked], wanted: Collection[str]) -> list[Missing]:
    """What the feeds could bring for the claims that were asked about."""
    return [each for one in found if one.claim.id in wanted for each in one.missing]


def _wanted(claims: Sequence[Claim], ids: Sequence[str]) -> set[str]:
    known = {claim.id for claim in claims}
    for id_ in ids:
        if id_ not in known:
            raise ValueError(f"no claim is called {id_!r}; there are {', '.join(sorted(known))}")
    return set(ids) or known


def _with_linked(claims: Sequence[Claim], wanted: set[str]) -> list[Claim]:
    """The claims wanted, and those that were published with them or contradict them."""
    groups = {claim.together for claim in claims if claim.id in wanted and claim.together}
    opposites = {id_ for claim in claims if claim.id in wanted for id_ in claim.contradicts}
    return [
        claim
        for claim in claims
        if claim.id in wanted | opposites
        or claim.together in groups
        or wanted & set(claim.contradicts)
    ]
