"""What the design promises about speed, measured: `python -m benchmarks` (README.md beside this file)."""
