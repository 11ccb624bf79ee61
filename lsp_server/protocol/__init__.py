"""The LSP edge: handlers that translate, nothing more. Only this package imports pygls and lsprotocol."""
