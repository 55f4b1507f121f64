"""What belongs to Hydra and runs in Python: see hydrad.export."""
