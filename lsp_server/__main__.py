"""`python -m lsp_server` is `ling-coder-lsp`."""

import sys

from lsp_server.cli import main

sys.exit(main())
