"""A server's certificate for this machine's loopback addresses, and the authority that signed it, made by `openssl`."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

LOOPBACK = ("127.0.0.1", "127.0.0.2", "::1", "localhost")
_VALID_DAYS = 30
_ONLY_OURS = 0o077

_CONFIGURATION = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {names}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"


class CertificateProblem(Exception):
    """openssl could not make what was asked of it."""


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """Paths of PEM files: the authority to trust, the server's certificate and its key."""

    authority: Path
    certificate: Path
    key: Path


def make_certificate(
    folder: Path,
    openssl: Path = Path("openssl"),
    *,
    name: str = "Lonjak's edge",
    hosts: Sequence[str] = LOOPBACK,
    valid_days: int = _VALID_DAYS,
) -> ServerCertificate:
    """Make new ones in `folder`: ECDSA P-256, the key readable by its owner alone.

    The authority's own key is removed again: nobody can sign anything else with an authority that clients were told to
    trust. Raises CertificateProblem with what openssl did not like.
    """
    request = folder / "openssl.cnf"
    request.write_text(_CONFIGURATION.format(name=name, names=",".join(map(_alternative, hosts))), encoding="utf-8")
    for step in (
        f"req -x509 {_KEY} -config openssl.cnf -extensions authority -days {valid_days} -keyout ca.key -out ca.pem",
        f"req {_KEY} -config openssl.cnf -keyout server.key -out server.csr",
        f"x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {valid_days} "
        "-extfile openssl.cnf -extensions server -out server.pem",
    ):
        _run(folder, openssl, step)
    for passing in ("ca.key", "server.csr", "ca.srl", "openssl.cnf"):
        (folder / passing).unlink(missing_ok=True)
    made = ServerCertificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    for told_to_everybody in (made.authority, made.certificate):
        told_to_everybody.chmod(0o644)
    return made


def _run(folder: Path, openssl: Path, step: str) -> None:
    try:
        result = subprocess.run(
            (openssl, *step.split()), cwd=folder, capture_output=True, text=True, check=False, umask=_ONLY_OURS
        )
    except OSError as error:
        raise CertificateProblem(f"{openssl} could not be run: {error.strerror}") from None
    if result.returncode:
        raise CertificateProblem(f"openssl {step.partition(' ')[0]} failed: {result.stderr.strip()[-200:]}")


def _alternative(host: str) -> str:
    """A subject's alternative name as openssl writes it."""
    try:
        return f"IP:{ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"
