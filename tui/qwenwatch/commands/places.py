"""`qwenwatch config path|init`: where the configuration is."""

import argparse

from qwenwatch.commands.context import write_out
from qwenwatch.config import ConfigError, default_config_path
from qwenwatch.exit_codes import ExitCode

TEMPLATE = """\
# qwenwatch configuration. Every key is optional; these are the defaults.

[view]
# metric = ""                     # "tokens", "requests", "spend", or "METRIC/FEED"
# by = "vendor"                   # vendor, model, country
# window = "week"                 # day, week, month
# top = 20                        # rows of a printed table
# baseline = "alibaba/qwen3-max"  # model that price ratios refer to
# theme = ""                      # a Textual theme
# panels = []                     # vendors to show as panels; empty: all, by rank

[mix]                             # the workload behind "blended"; must add up to 1
# input = 0.80
# output = 0.05
# cached = 0.15

[watch]                           # whom `qwenwatch changes --watch` is about
# vendors = []                    # "alibaba", "deepseek"
# models = []                     # "qwen3-max", by any of their names

[cache]
# dir = ""                        # default: the platform's cache directory
# raw_days = 14                   # how long response bodies are kept

[feeds]
# url = ""                        # one address for all feeds: a mirror, a proxy

[feeds.openrouter-rankings]       # every feed has these; docs/feeds.md says what each of them is
# enabled = true
# url = ""                        # ask another address than its own
# every = "1h"                    # longer if you like; this is the shortest, here and below
# key_env = "OPENROUTER_API_KEY"  # the variable that holds the key
# key_file = ""                   # or a file that holds it

[feeds.openrouter-apps]           # needs the key
# every = "6h"

[feeds.openrouter-sessions]       # needs the key
# every = "1d"

[feeds.openrouter-tasks]          # needs the key
# every = "1d"

[feeds.vercel-leaderboard]
# every = "1d"

[feeds.openrouter-models]
# every = "1h"

[feeds.openrouter-endpoints]      # asked about one model, when you look at it
# every = "10m"

[feeds.models-dev]
# every = "6h"

[feeds.litellm]
# every = "1d"

[feeds.alibaba-list]
# every = "1d"

[feeds.ecb-fx]
# every = "12h"

[feeds.huggingface]
# every = "1d"

[keys]                            # by the ids in docs/keys.md
# app.refresh = "f5,r"
"""


def run_places(options: argparse.Namespace) -> int:
    """Print where the configuration is, or write it with comments."""
    path = getattr(options, "config", None) or default_config_path()
    if options.action == "init":
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(TEMPLATE)
        except FileExistsError as error:
            raise ConfigError(f"{path} is there already; it was left as it is") from error
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    write_out(f"{path}\n", None)
    return ExitCode.GOOD
