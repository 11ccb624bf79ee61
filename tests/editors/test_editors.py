"""The configurations in `editors/`, run in the real editors. An editor that is not installed is named as the reason."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.end_to_end


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A file with something to complete, a script that completes it, and a wrapper that serves the script."""
    (tmp_path / "a.py").write_text("def add(a, b):\n    return \n", encoding="utf-8")
    (tmp_path / "script.json").write_text(json.dumps([{"text": "a + b"}]), encoding="utf-8")
    return tmp_path


def run(command: list[str], workspace: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(workspace)}
    done = subprocess.run(
        command, cwd=workspace, env=environment, capture_output=True, text=True, timeout=50, check=False
    )
    return done.stdout + done.stderr


def server(workspace: Path) -> list[str]:
    return [sys.executable, "-m", "lsp_server", "serve", "--engine", f"scripted:{workspace / 'script.json'}"]


@needs("nvim")
def test_neovim_inserts_the_suggestion(workspace: Path) -> None:
    """`editors/neovim.lua` attaches to a file that is opened, and its key puts the suggestion at the cursor."""
    command = ", ".join(json.dumps(part) for part in server(workspace))
    (workspace / "try.lua").write_text(
        f"""
        local ling = dofile({json.dumps(str(ROOT / "editors" / "neovim.lua"))})
        ling.command = {{ {command} }}
        vim.cmd("edit a.py")
        vim.wait(10000, function() return vim.lsp.get_client_by_id(ling.client).initialized == true end)
        vim.o.virtualedit = "onemore"
        vim.api.nvim_win_set_cursor(0, {{ 2, 11 }})
        ling.complete()
        vim.wait(10000, function() return vim.api.nvim_get_current_line() ~= "    return " end)
        print("[" .. vim.api.nvim_get_current_line() .. "]")
        vim.cmd("qa!")
        """,
        encoding="utf-8",
    )
    said = run(["nvim", "--headless", "--clean", "-c", "luafile try.lua"], workspace)
    assert "[    return a + b]" in said


@needs("emacs")
def test_emacs_inserts_the_suggestion(workspace: Path) -> None:
    """`editors/emacs.el` makes eglot start the server, and its command inserts the suggestion at point."""
    command = " ".join(json.dumps(part) for part in server(workspace))
    (workspace / "try.el").write_text(
        f"""
        (package-initialize)
        (load {json.dumps(str(ROOT / "editors" / "emacs.el"))})
        (setq ling-coder-command '({command}) eglot-sync-connect 20)
        (setq eglot-server-programs (list (cons 'prog-mode (lambda (&rest _) ling-coder-command))))
        (find-file "a.py")
        (python-mode)
        (apply #'eglot (eglot--guess-contact))
        (goto-char (point-min)) (forward-line 1) (end-of-line)
        (ling-coder-complete)
        (message "[%s]" (buffer-substring (line-beginning-position) (line-end-position)))
        (set-buffer-modified-p nil)
        (eglot-shutdown (eglot-current-server))
        """,
        encoding="utf-8",
    )
    said = run(["emacs", "--batch", "-l", "try.el"], workspace)
    assert "[    return a + b]" in said, said
