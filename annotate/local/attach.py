from contextlib import contextmanager


@contextmanager
def attached_services():
    yield
