"""Registering, logging in and out."""

from reference_shop.domain.accounts import hash_password, password_matches
from tests.shop.database import ask
from tests.shop.processes import Postgres, Program
from tests.shop.shopper import Shopper

PASSWORD = "rahasia-sekali"


def test_a_registered_shopper_comes_back(shop: Program, shopper: Shopper) -> None:
    email = shopper.register()
    with Shopper(shop.url) as elsewhere:
        assert elsewhere.get("/account").status_code == 303
        assert elsewhere.post("/login", {"email": email.upper(), "password": PASSWORD}).status_code == 303
        assert email in elsewhere.get("/account").text


def test_logging_out_closes_the_session_itself(shop: Program, shopper: Shopper) -> None:
    shopper.register()
    kept = shopper.session.cookies.copy()
    assert shopper.post("/logout", {}).status_code == 303
    with Shopper(shop.url) as thief:
        thief.session.cookies.update(kept)
        assert thief.get("/account").status_code == 303


def test_an_address_registers_once(shopper: Shopper) -> None:
    form: dict[str, object] = {"name": "Lain", "email": shopper.register(), "password": PASSWORD}
    assert shopper.post("/register", form).status_code == 409


def test_a_wrong_password_is_refused_without_a_session(shop: Program, shopper: Shopper) -> None:
    email = shopper.register()
    with Shopper(shop.url) as thief:
        refusal = thief.post("/login", {"email": email, "password": "tebakan-salah"})
        assert refusal.status_code == 403
        assert "set-cookie" not in refusal.headers
        assert "tebakan-salah" not in refusal.text


def test_neither_passwords_nor_tokens_stand_in_the_database(shopper: Shopper, postgres: Postgres) -> None:
    shopper.register()
    shopper.add(501)
    tokens = [cookie.value for cookie in shopper.session.cookies]
    assert len(tokens) == 2
    for table in ("accounts", "sessions", "carts"):
        dump = ask(postgres.url, f"SELECT string_agg(t::text, ' ') FROM {table} t")
        assert PASSWORD not in dump
        for token in tokens:
            assert str(token) not in dump


def test_the_cart_outlives_registration(shopper: Shopper) -> None:
    shopper.add(502, 3)
    shopper.register()
    assert 'data-cart-count="3"' in shopper.get("/cart").text


def test_equal_passwords_have_different_hashes() -> None:
    first, second = hash_password("sama"), hash_password("sama")
    assert first != second
    assert password_matches("sama", first)
    assert not password_matches("beda", first)
