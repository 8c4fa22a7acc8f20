"""What every app may import: environment, secrets, people, base classes of tasks and admin."""
