"""What can go wrong around model files, as a tree; each message is a sentence for the user.

CompletionError
  + CatalogError             the catalog does not follow its schema: names the row and the field
  + StoreError               the folder of models, or a file beside them, cannot be read or written
  |   + DiskFull             there is no room for the file; what has arrived is kept
  + DownloadError            a file could not be fetched
      + NotOnTheHub          no such repository or file
      + NotAllowed           gated, private, or the token is wrong
      + HubUnreachable       no network, a broken connection, the hub has trouble -> trying again may help
      |   + ProxyRefused     the proxy wants credentials, or does not let us through
      |   + UntrustedHub     its certificate is signed by nobody this machine trusts
      + WrongContent         size or SHA-256 are not what the hub says
      + Stopped              the user had enough; what has arrived is kept

A file that is there but cannot be used is a `ModelFileError`.
"""

from __future__ import annotations

from lsp_server.errors import CompletionError


class CatalogError(CompletionError):
    """The catalog is wrong."""


class StoreError(CompletionError):
    """A file of ours cannot be read or written."""


class DiskFull(StoreError):
    """There is no room."""


class DownloadError(CompletionError):
    """A file could not be fetched."""


class NotOnTheHub(DownloadError):
    """There is no such repository or file."""


class NotAllowed(DownloadError):
    """The hub does not give it to us."""


class HubUnreachable(DownloadError):
    """The hub did not answer, or the connection broke."""


class ProxyRefused(HubUnreachable):
    """The proxy did not let us through."""


class UntrustedHub(HubUnreachable):
    """Whoever answered cannot prove to be the hub."""


class WrongContent(DownloadError):
    """What arrived is not what the hub says it is."""


class Stopped(DownloadError):
    """The download was called off."""
