"""Model files for development: a tiny one for tests and demo, and one of the true size for measurements.

Both have random weights and the architecture of Ling-Coder-Lite (`bailingmoe` in llama.cpp). Nothing here runs a model.
"""
