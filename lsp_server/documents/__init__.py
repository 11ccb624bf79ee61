"""Open documents: text by lines, frozen snapshots, positions in every encoding."""
