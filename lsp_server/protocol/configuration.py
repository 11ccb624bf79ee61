"""Settings: sent with `initialize`, pulled from the editor, or pushed by it. The command line wins over all of them."""

from __future__ import annotations

import asyncio
import dataclasses
import logging

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from lsp_server.prompt.fim_templates import TEMPLATES
from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.settings import DEFAULTS, Settings, read_settings

logger = logging.getLogger(__name__)

SECTION = "lingCoder"
_PULL_LIMIT_S = 5
"""An editor that never answers gets the settings that it sent with `initialize`."""


def read_initial(ls: LingCoderServer, options: object) -> None:
    """Take over `initializationOptions`."""
    settings, problems = _read(ls, options, DEFAULTS)
    ls.initial_settings = ls.session.state.settings = settings
    ls.session.state.problems = tuple(problems)


async def pull(ls: LingCoderServer) -> None:
    """Ask the editor for its settings, where it can be asked."""
    if not _can_pull(ls):
        return
    item = types.ConfigurationItem(section=SECTION)
    request = ls.workspace_configuration_async(types.ConfigurationParams(items=[item]))
    try:
        answer = await asyncio.wait_for(request, _PULL_LIMIT_S)
    except (JsonRpcException, asyncio.TimeoutError) as error:
        logger.warning("The editor did not tell its settings: %s", type(error).__name__)
        return
    await use(ls, answer[0] if answer else None)


async def did_change_configuration(ls: LingCoderServer, params: types.DidChangeConfigurationParams) -> None:
    """Pull again; editors that cannot be asked send the settings along."""
    if _can_pull(ls):
        await pull(ls)
    else:
        await use(ls, params.settings)


async def use(ls: LingCoderServer, options: object) -> None:
    """Work with these settings from now on."""
    settings, problems = _read(ls, options, ls.initial_settings)
    news = [problem for problem in problems if problem not in ls.session.state.problems]
    await ls.session.use_settings(settings, problems)
    log_problems(ls, news)


async def watch(ls: LingCoderServer) -> None:
    """Have the editor tell us when its settings change."""
    if not get_capability(ls.client_capabilities, "workspace.did_change_configuration.dynamic_registration"):
        return
    method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
    options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
    registration = types.Registration(id="lingCoder.configuration", method=method, register_options=options)
    try:
        await ls.client_register_capability_async(types.RegistrationParams(registrations=[registration]))
    except JsonRpcException as error:
        logger.warning("The editor does not tell when settings change: %s", type(error).__name__)


def log_problems(ls: LingCoderServer, problems: list[str] | tuple[str, ...]) -> None:
    """One entry in the editor's log that lists what could not be used."""
    if problems:
        ls.log_to_editor(types.MessageType.Warning, "Settings of Ling Coder: " + "; ".join(problems) + ".")


def _can_pull(ls: LingCoderServer) -> bool:
    return bool(get_capability(ls.client_capabilities, "workspace.configuration"))


def _read(ls: LingCoderServer, options: object, base: Settings) -> tuple[Settings, list[str]]:
    settings, problems = read_settings(options, base)
    if settings.fim_template not in ("auto", *TEMPLATES):
        known = ", ".join(("auto", *TEMPLATES))
        problems.append(
            f"`lingCoder.fimTemplate` must be one of {known}, got {settings.fim_template!r}; 'auto' is used"
        )
        settings = dataclasses.replace(settings, fim_template="auto")
    return dataclasses.replace(settings, **ls.command_line), problems
