"""The claims that are checked: those that come with the program, and the user's own.

A figure that was remembered from the screen is appended to `claims.toml` beside the configuration,
a file that people may edit: nothing in it is ever changed, only added to.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from qwenwatch.config import Config
from qwenwatch.files import write_whole
from qwenwatch_cache.claims.claim import Claim, Said
from qwenwatch_cache.claims.reading import (
    MOST_CLAIMS,
    bundled_claims,
    claims_of,
    read_claims,
)
from qwenwatch_cache.claims.tables import ClaimError
from qwenwatch_cache.errors import StoreError

NAME = "claims.toml"


def own_claims_path(config: Config) -> Path:
    """Where the user's own claims are."""
    return config.path.parent / NAME


def own_claims(config: Config) -> Sequence[Claim]:
    """The user's own claims; none if there is no such file, or all of them were deleted.

    Raises:
        ClaimError: The file cannot be used.
    """
    path = own_claims_path(config)
    return claims_of(path, may_be_empty=True) if path.exists() else ()


def all_claims(config: Config) -> Sequence[Claim]:
    """The bundled claims, then the user's own.

    Raises:
        ClaimError: The user's file cannot be used, or gives a claim the name of a bundled one.
    """
    bundled, own = bundled_claims(), own_claims(config)
    for name in sorted({one.id for one in bundled} & {one.id for one in own}):
        raise ClaimError(f"{own_claims_path(config)}: claim {name!r}: id: is a bundled claim's")
    return (*bundled, *own)


def remember(config: Config, claim: Mapping[str, Any]) -> Claim | None:
    """Add a claim to the user's own.

    Args:
        config: Says where they are.
        claim: As a `[[claim]]` table of docs/claims.md.

    Returns:
        The claim of the same figure that was there before, or None if it was added.

    Raises:
        ClaimError: The file, or the claim, cannot be used.
        StoreError: The file cannot be written; what it held stands.
    """
    import tomli_w  # which only this needs

    path, own = own_claims_path(config), own_claims(config)
    added = tomli_w.dumps({"claim": [dict(claim)]}, multiline_strings=False)
    [wanted] = read_claims(added, "the figure under the cursor")
    for one in own:
        if one.id == wanted.id or _figure_of(one) == _figure_of(wanted):
            return one
    if len(own) >= MOST_CLAIMS:
        raise ClaimError(f"{path} holds {len(own):,} claims, and no more are read: delete some")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        whole = f"{before.rstrip()}\n\n{added}" if before.strip() else added
        if not _is_readable(whole):
            raise ClaimError(f"{path} cannot be added to: begin each of its claims with [[claim]]")
        write_whole(path, whole)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
    return None


def _figure_of(claim: Claim) -> Claim:
    """A claim without its name, who said it in which words, and what it was linked with."""
    said = Said(outlet="")
    return replace(claim, id="", says="", said=said, together="", contradicts=(), note="")


def _is_readable(text: str) -> bool:
    """Whether claims can be read, also where people wrote them as a list that is closed."""
    try:
        read_claims(text, NAME)
    except ClaimError:
        return False
    return True
