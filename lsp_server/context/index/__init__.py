"""The repository index: what each file of a workspace defines and imports, and its text in chunks, in SQLite."""
