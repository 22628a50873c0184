"""From where somebody comes, told coarsely: enough to recognise oneself, too little to be traced by."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

NO_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing listens there; it stands for "unknown"
PREFIX = {4: 24, 6: 48}
NO_COUNTRY = frozenset({"XX", "T1"})  # as proxies say "unknown" and "by way of Tor"

# The first that is found decides: later browsers name the earlier ones too.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def client_address(request: HttpRequest) -> str:
    """The visitor's address: the peer's, or what the trusted number of proxies says; 0.0.0.0 where none is known."""
    proxies = settings.TRUSTED_PROXIES
    forwarded = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",")]
    trusted = forwarded[-proxies] if proxies and len(forwarded) >= proxies else ""
    return _as_address(trusted) or _as_address(request.META.get("REMOTE_ADDR", "")) or NO_ADDRESS


def network_of(request: HttpRequest) -> str:
    """The network that the visitor comes from, as 192.0.2.0/24 or 2001:db8::/48; empty where none is known."""
    address = ip_address(client_address(request))
    if address.is_unspecified:
        return ""
    return str(ip_network(f"{address}/{PREFIX[address.version]}", strict=False))


def language_of(request: HttpRequest) -> str:
    """The language that the browser asks for first, without its region: "de"; empty where it does not say."""
    wanted = parse_accept_lang_header(request.headers.get("accept-language", "")[:500])
    return wanted[0][0].partition("-")[0] if wanted and wanted[0][0] != "*" else ""


def country_of(request: HttpRequest) -> str:
    """The country that a trusted proxy tells, as "DE"; empty where none is named in the settings, or it says none."""
    if not settings.COUNTRY_HEADER or not settings.TRUSTED_PROXIES:
        return ""
    said = request.headers.get(settings.COUNTRY_HEADER, "").strip().upper()
    return said if len(said) == 2 and said.isascii() and said.isalpha() and said not in NO_COUNTRY else ""


def browser_of(request: HttpRequest) -> tuple[str, str]:
    """The browser's family and the system it runs on, without versions; empty where it does not say."""
    said = request.headers.get("user-agent", "")
    return _first(BROWSERS, said), _first(SYSTEMS, said)


def _first(table: tuple[tuple[str, str], ...], said: str) -> str:
    return next((name for token, name in table if token in said), "")


def _as_address(text: str) -> str | None:
    """The address in its usual form; None for what is none, as the peer of a Unix socket."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None
