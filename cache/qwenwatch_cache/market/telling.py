"""Which of the trials tell most of a claim, where not all can be shown."""

from collections.abc import Sequence

from qwenwatch_cache.claims.figure import Figure
from qwenwatch_cache.market.trials import Trial
from qwenwatch_cache.market.verdicts import plain_trial

MOST_FITTING = 6
MOST_POSSIBLE = 2
MOST_SIMPLE = 6
MOST_WITHOUT = 10
MOST_NEAR = 3
"""How many of the trials are shown of each kind; all are counted."""


def telling_trials(trials: Sequence[Trial], figure: Figure) -> list[Trial]:
    """The trials worth a look: the plain one, what fits or may, the simple ones, those without each
    one that is named, the nearest.

    Args:
        trials: All that were tried, in order (trials.in_order).
        figure: The value claimed.
    """
    fits: dict[str, list[Trial]] = {"yes": [], "possible": [], "no": []}
    for trial in trials:
        fits[trial.fit(figure)].append(trial)
    simple = [
        one for one in trials if one.exact and one.conditions and not one.less and not one.moved
    ]
    simple.sort(key=lambda one: (len(one.conditions), one.distance(figure)))
    # Who makes the difference: everybody left out in turn, of what else has one condition only.
    less = [
        one
        for one in trials
        if one.exact and one.less and len(one.conditions) == 2 and "named" in one.conditions[0]
    ]
    plain = plain_trial(trials)
    picked = [
        *([plain] if plain else []),
        *fits["yes"][:MOST_FITTING],
        *fits["possible"][:MOST_POSSIBLE],
        *simple[:MOST_SIMPLE],
        *less[:MOST_WITHOUT],
        *[trial for trial in fits["no"] if trial.exact][:MOST_NEAR],
    ]
    found: dict[tuple[str, str], Trial] = {}
    for trial in picked:
        found.setdefault((trial.scope, trial.arithmetic), trial)
    return list(found.values())
