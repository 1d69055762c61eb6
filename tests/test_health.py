from django.test import Client


def test_livez_answers_a_stranger_without_touching_the_database(client: Client) -> None:
    assert client.get("/livez").content == b"ok"


def test_healthz_names_what_answers(client: Client, db: None) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "broker": True})
