from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id at OWASP's 46 MiB setting: Django's 100 MiB, times parallel sign-ins, exhausts a small server."""

    time_cost = 2
    memory_cost = 46 * 1024
    parallelism = 1
