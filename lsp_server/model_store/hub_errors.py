"""What `huggingface_hub` and its HTTP client raise, as errors of ours with a sentence that says what to do.

The only file beside `hub.py` that knows them. No message carries an address: there may be a password in it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
)

from lsp_server.model_store.errors import (
    DownloadError,
    HubUnreachable,
    NotAllowed,
    NotOnTheHub,
    ProxyRefused,
    UntrustedHub,
)

_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which trying again may help."""

_PROXY_HELP = "Check HTTPS_PROXY, which may carry credentials: http://user:password@proxy:port."

_FOREIGN = (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
)
"""The last four: what reading an answer ends in that is none of a hub."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Everything foreign that is raised within becomes a `DownloadError` about `what`.

    Raises:
        DownloadError: of the kind that fits.
    """
    try:
        yield
    except _FOREIGN as error:
        raise download_error(error, what) from error


def download_error(error: Exception, what: str) -> DownloadError:
    """The error of ours for a foreign one; `what` is the repository or file that was asked for."""
    if isinstance(error, HfHubHTTPError):
        return _of_status(error, what)
    for kind, make in _BY_KIND:
        if isinstance(error, kind):
            return make(error, what)
    return HubUnreachable(
        f"What answered for {what} is no hub for models ({type(error).__name__}). "
        "Check HF_ENDPOINT, the proxy, and whether this network wants a login."
    )


_GATED = (
    NotAllowed,
    "The hub wants terms accepted for {what}: do that on its page, and set HF_TOKEN to a token of your account.",
)
_BY_STATUS: dict[int, tuple[type[DownloadError], str]] = {
    401: (
        NotAllowed,
        "The hub does not give {what} to anybody (401): it does not exist, or it is private or gated. "
        "If it is yours, set HF_TOKEN to a token that may read it.",
    ),
    403: (NotAllowed, "The hub refuses {what} (403): the token in use may not read it. Set HF_TOKEN to another."),
    404: (NotOnTheHub, "The hub does not have {what} (404). Check its name, and HF_ENDPOINT if it is set."),
    407: (ProxyRefused, "The proxy did not let the request for {what} through (407). " + _PROXY_HELP),
}


def _of_status(error: HfHubHTTPError, what: str) -> DownloadError:
    status = error.response.status_code
    if isinstance(error, GatedRepoError) or status in _BY_STATUS:
        kind, sentence = _GATED if isinstance(error, GatedRepoError) else _BY_STATUS[status]
        return kind(sentence.format(what=what))
    if status in _PASSING:
        return HubUnreachable(f"The hub has trouble with {what} ({status}). Try again later.")
    return DownloadError(f"The hub answered {status} for {what}.")


def _proxy_refused(error: Exception, what: str) -> DownloadError:
    return ProxyRefused(f"The proxy did not let the request for {what} through ({_said(error)}). {_PROXY_HELP}")


def _invalid_name(_error: Exception, what: str) -> DownloadError:
    return NotOnTheHub(f"The hub cannot have {what}: names are like `owner/name`.")


def _switched_off(_error: Exception, what: str) -> DownloadError:
    return HubUnreachable(f"HF_HUB_OFFLINE is set, so {what} is not asked for. Unset it to download.")


def _wrong_address(error: Exception, _what: str) -> DownloadError:
    return HubUnreachable(f"The hub's address cannot be used ({_said(error)}). Check HF_ENDPOINT and HTTPS_PROXY.")


def _no_connection(error: Exception, what: str) -> DownloadError:
    if _is_about_certificates(error):
        return UntrustedHub(
            f"The certificate of the hub that answered for {what} is signed by nobody this machine trusts. "
            "Behind a company's proxy, set SSL_CERT_FILE to its certificates."
        )
    return HubUnreachable(
        f"The hub cannot be reached for {what} ({_said(error)}). "
        "Check the network; HTTPS_PROXY and HF_ENDPOINT are used."
    )


_BY_KIND: tuple[tuple[type[Exception], Callable[[Exception, str], DownloadError]], ...] = (
    (HFValidationError, _invalid_name),
    (OfflineModeIsEnabled, _switched_off),
    (httpx2.ProxyError, _proxy_refused),
    (httpx2.UnsupportedProtocol, _wrong_address),
    (httpx2.InvalidURL, _wrong_address),
    (httpx2.HTTPError, _no_connection),
    (OSError, _no_connection),
)
"""The first that fits; the more special ones come first."""


def _is_about_certificates(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
