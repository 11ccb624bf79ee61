"""When to be silent: an ordered list of named rules, one small file each."""
