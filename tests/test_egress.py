"""What this server calls, and what it never does, whoever names the address."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from labeling import egress
from tests.receiver import Receiver, receiver

# Names and numbers of this machine and of what stands around it, in the ways they can be written.
INSIDE = [
    "127.0.0.1", "localhost", "LOCALHOST.", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::]",
    "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::7f00:1]", "169.254.169.254", "[fd00:ec2::254]", "metadata.google.internal", "100.100.100.200", "168.63.129.16",
    "10.0.0.1", "172.16.0.1", "192.168.0.1", "192.0.2.1", "255.255.255.255", "224.0.0.1", "[ff02::1]", "[fe80::1]",
    "[fc00::1]", "[2001:db8::1]", "0.0.0.0", "user:pass@example.org", "example.org@127.0.0.1", "①②⑦.⓪.⓪.①",
    "xn--localhost", "a b", "nowhere.invalid",
]  # fmt: skip
SPELLINGS = [
    "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "data:text/plain,x", "gopher://example.org/",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info", "https://", "https:///x", "//example.org/", "example.org", "",
    "https://[::1", "https://example.org:8443/", "https://example.org/\r\nX-Injected: 1", "https:/\\127.0.0.1/",
    "https://127.0.0.1\\@example.org/", "https://example.org/\x00",
]  # fmt: skip


@pytest.fixture
def inside() -> Iterator[Receiver]:
    with receiver() as state:
        yield state


@pytest.fixture
def open_line(inside: Receiver, settings: Any) -> Receiver:
    """The operator's word for the receiver's origin."""
    settings.ALLOWED_ENDPOINT_ORIGINS = [inside.url.removesuffix("/hook")]
    return inside


@pytest.mark.parametrize("host", INSIDE)
def test_what_is_inside_is_refused_at_saving_and_at_calling(host: str, inside: Receiver) -> None:
    port = inside.url.rsplit(":", 1)[1]
    for url in (f"https://{host}/", f"http://{host}:{port}", f"https://{host}:{port}"):
        with pytest.raises(egress.Forbidden, match=egress.REFUSED):
            egress.check(url)
        with pytest.raises(egress.Forbidden, match=egress.REFUSED):
            egress.post(url, b"{}", {}, seconds=2)
    assert inside.hits == 0


@pytest.mark.parametrize("url", SPELLINGS)
def test_other_spellings_are_refused(url: str) -> None:
    with pytest.raises(egress.Forbidden):
        egress.check(url)
    with pytest.raises(egress.Forbidden):
        egress.post(url, b"{}", {}, seconds=2)


def test_every_address_of_a_name_must_be_public(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"public.example": ["93.184.215.14"], "mixed.example": ["93.184.215.14", "10.0.0.1"]}

    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in names[host]]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    egress.check("https://public.example/hook")
    with pytest.raises(egress.Forbidden):
        egress.check("https://mixed.example/hook")


def test_a_name_that_changes_its_mind_reaches_nothing(inside: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is saved, this machine when it is called."""
    answers = iter(["93.184.215.14"])

    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "127.0.0.1"), port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    egress.check("https://rebound.example/hook")
    with pytest.raises(egress.Forbidden):
        egress.post("https://rebound.example/hook", b"{}", {}, seconds=2)
    assert inside.hits == 0


def test_it_connects_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is looked up once a connection, and never handed to what connects."""
    lookups, connected = [], []

    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        lookups.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]

    def connect(address: Any, *_: Any, **__: Any) -> Any:
        connected.append(address)
        raise OSError("enough seen")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(httpx2.ConnectError):
        egress.post("https://public.example/hook", b"{}", {}, seconds=2)
    assert (lookups, connected) == (["public.example"], [("93.184.215.14", 443)])


def test_the_operators_origin_is_exact(open_line: Receiver) -> None:
    port = int(open_line.url.rsplit(":", 1)[1].partition("/")[0])
    assert egress.post(open_line.url, b"{}", {}).status == 204
    for url in (f"https://127.0.0.1:{port}/hook", f"http://localhost:{port}/hook", f"http://127.0.0.1:{port + 1}/hook"):
        with pytest.raises(egress.Forbidden):
            egress.post(url, b"{}", {}, seconds=2)
    assert open_line.hits == 1


def test_a_redirect_is_not_followed(open_line: Receiver) -> None:
    with receiver() as secret:
        open_line.answers, open_line.headers = [302], {"Location": secret.url}
        assert egress.post(open_line.url, b"{}", {}).status == 302
        assert secret.hits == 0


def test_a_client_that_follows_redirects_checks_each(open_line: Receiver) -> None:
    with receiver() as secret:
        open_line.answers, open_line.headers = [302], {"Location": secret.url}
        with egress.client(redirects=True) as client, pytest.raises(egress.Forbidden):
            client.get(open_line.url)
        assert secret.hits == 0


def test_no_proxy_of_the_environment_is_asked(open_line: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert egress.post(open_line.url, b"{}", {}).status == 204
        assert (open_line.hits, proxy.hits) == (1, 0)


def test_only_the_beginning_of_an_answer_is_read(open_line: Receiver) -> None:
    open_line.answers, open_line.body = [200], b"\x00ok" + b"x" * 5_000_000
    answer = egress.post(open_line.url, b"{}", {})
    assert len(answer.text) == egress.MOST_READ and answer.text.startswith("\ufffdok")


def test_a_slow_answer_ends_in_time(open_line: Receiver) -> None:
    open_line.answers = ["drip"]
    began = time.monotonic()
    with pytest.raises(httpx2.TimeoutException):
        egress.post(open_line.url, b"{}", {}, seconds=0.5)
    assert time.monotonic() - began < 5


def test_nothing_else_goes_out() -> None:
    """Whoever needs the network takes it from here."""
    using = "socket.create_connection", "requests.", "urllib.request", "http.client", "httpx2.get", "httpx2.post"
    modules = [*Path("labeling").rglob("*.py"), *Path("exports").rglob("*.py")]
    found = [
        f"{path}: {name}" for path in modules for name in using
        if path.name != "egress.py" and name in path.read_text()
    ]  # fmt: skip
    assert not found
