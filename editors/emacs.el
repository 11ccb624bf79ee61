;;; emacs.el --- Ling Coder in Emacs through eglot  -*- lexical-binding: t -*-

;; (load "…/editors/emacs.el"), then M-x eglot in a buffer.  Suggestions appear among the completions (C-M-i);
;; C-c l inserts one at point.  Eglot runs one server a buffer: with this file
;; loaded, Ling Coder takes the place of the language's own server.

;;; Code:

(require 'eglot)

(defvar ling-coder-command '("ling-coder-lsp" "serve")
  "What starts the language server.")

(add-to-list 'eglot-server-programs (cons 'prog-mode (lambda (&rest _) ling-coder-command)))

(defun ling-coder-complete ()
  "Insert the suggestion for the code at point."
  (interactive)
  (let* ((answer (jsonrpc-request (eglot--current-server-or-lose) :textDocument/inlineCompletion
                                  (append (eglot--TextDocumentPositionParams) '(:context (:triggerKind 1)))))
         (items (plist-get answer :items)))
    (if (zerop (length items))
        (message "Ling Coder has no suggestion here")
      (let* ((item (aref items 0))
             (region (eglot--range-region (plist-get item :range))))
        (delete-region (car region) (cdr region))
        (insert (plist-get item :insertText))))))

(global-set-key (kbd "C-c l") #'ling-coder-complete)

(provide 'ling-coder)
;;; emacs.el ends here
