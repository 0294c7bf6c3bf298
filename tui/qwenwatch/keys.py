"""The keys of the program by the ids under which they can be remapped."""

from textual.binding import Binding

from qwenwatch.app import QwenwatchApp
from qwenwatch.config import Config, ConfigError
from qwenwatch.screens.claims import ClaimScreen
from qwenwatch.screens.compare import CompareScreen
from qwenwatch.screens.feeds import FeedsScreen
from qwenwatch.screens.help import HelpScreen
from qwenwatch.screens.hosts import HostsScreen
from qwenwatch.screens.market import MarketScreen
from qwenwatch.screens.page import Page
from qwenwatch.screens.prices import PricesScreen
from qwenwatch.screens.tables import TablesScreen
from qwenwatch.screens.vendor import VendorScreen
from qwenwatch_widgets.panels import PanelGrid
from qwenwatch_widgets.row_table import RowTable
from qwenwatch_widgets.tables import ViewTable

_HOLDERS = (
    QwenwatchApp,
    Page,
    MarketScreen,
    PanelGrid,
    RowTable,
    ViewTable,
    VendorScreen,
    HostsScreen,
    TablesScreen,
    ClaimScreen,
    PricesScreen,
    CompareScreen,
    FeedsScreen,
    HelpScreen,
)


def bindings() -> dict[str, Binding]:
    """Every binding that can be remapped, by id."""
    found: dict[str, Binding] = {}
    for holder in _HOLDERS:
        for binding in holder.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                found[binding.id] = binding
    return found


def keymap(config: Config) -> dict[str, str]:
    """The user's keys by binding id.

    Raises:
        ConfigError: An id does not exist.
    """
    known = bindings()
    for name in config.keys:
        if name not in known:
            raise ConfigError(
                f"{config.path}: keys.{name} is not known; there are {', '.join(sorted(known))}"
            )
    return dict(config.keys)
