"""Random histories of two stores that share stock, played on the sandbox against the whole engine (docs/simulation.md)."""
