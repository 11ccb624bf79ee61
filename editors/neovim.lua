-- Ling Coder in Neovim 0.7 and newer: load it from init.lua with `dofile("…/editors/neovim.lua")`.
-- In insert mode <C-l> puts the suggestion at the cursor. Neovim 0.12 has ghost text of its own: see the README.

local M = { command = { "ling-coder-lsp", "serve" } }

local function client_for(root)
  if M.client and vim.lsp.get_client_by_id(M.client) then
    return M.client
  end
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.textDocument.inlineCompletion = { dynamicRegistration = false }
  M.client = vim.lsp.start_client({ name = "ling-coder", cmd = M.command, root_dir = root, capabilities = capabilities })
  return M.client
end

function M.attach()
  if vim.bo.buftype ~= "" or M.broken then
    return
  end
  local client = client_for(vim.fn.getcwd())
  M.broken = client == nil -- not in PATH: Neovim has said so, once is enough
  if client then
    vim.lsp.buf_attach_client(0, client)
  end
end

function M.complete()
  local client = vim.lsp.get_client_by_id(M.client or -1)
  if not client then
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = 1 }
  client.request("textDocument/inlineCompletion", params, function(err, result)
    local item = result and (result.items or result)[1]
    if err or not item then
      vim.notify("Ling Coder has no suggestion here")
      return
    end
    vim.lsp.util.apply_text_edits({ { range = item.range, newText = item.insertText } }, 0, client.offset_encoding)
    local lines = vim.split(item.insertText, "\n")
    local start = item.range.start
    local column = #lines == 1 and start.character + #lines[1] or #lines[#lines]
    vim.api.nvim_win_set_cursor(0, { start.line + #lines, column })
  end)
end

vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile" }, { callback = M.attach })
vim.keymap.set("i", "<C-l>", M.complete, { desc = "Ling Coder: complete" })
return M
