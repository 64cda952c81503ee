"""The certificate of the public doors, looked at with openssl."""

import stat
import subprocess
from pathlib import Path

import pytest

from reference_shop.edges.certificates import CertificateProblem, ServerCertificate, make_certificate
from tests.edges.running import require


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    require("openssl")
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def test_it_is_for_the_loopback_addresses_and_signed_by_its_authority(made: ServerCertificate) -> None:
    names = ["-verify_ip 127.0.0.1", "-verify_ip 127.0.0.2", "-verify_ip ::1", "-verify_hostname localhost"]
    for name in names:
        verified = _openssl(f"verify -CAfile {made.authority} {name} {made.certificate}")
        assert verified.returncode == 0, (name, verified.stderr)
    assert _openssl(f"verify -CAfile {made.authority} -verify_ip 127.0.0.3 {made.certificate}").returncode != 0


def test_it_is_of_the_kind_that_shops_use_and_valid_for_a_month(made: ServerCertificate) -> None:
    text = _openssl(f"x509 -in {made.certificate} -noout -text").stdout
    assert "prime256v1" in text
    assert "CA:FALSE" in text
    days = 24 * 3600
    assert _openssl(f"x509 -in {made.certificate} -noout -checkend {29 * days}").returncode == 0
    assert _openssl(f"x509 -in {made.certificate} -noout -checkend {31 * days}").returncode == 1


def test_the_key_is_its_owners_alone_and_the_authoritys_is_gone(made: ServerCertificate) -> None:
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert sorted(path.name for path in made.key.parent.iterdir()) == ["ca.pem", "server.key", "server.pem"]


def test_what_openssl_does_not_like_is_said(tmp_path: Path) -> None:
    with pytest.raises(CertificateProblem, match=r"openssl req failed: "):
        make_certificate(tmp_path, name="")
    with pytest.raises(CertificateProblem, match="/no/openssl could not be run: No such file"):
        make_certificate(tmp_path, Path("/no/openssl"))


def _openssl(arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(("openssl", *arguments.split()), capture_output=True, text=True, check=False)
