"""Prompts: how a family of models wants the context laid out."""
