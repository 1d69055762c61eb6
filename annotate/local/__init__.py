"""What `./run` and `manage.py` need to run PostgreSQL and Valkey by themselves, and only they."""
