"""Certificates for tests, signed by an authority that nobody else knows."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gevent import ssl


@dataclass(frozen=True)
class Certificates:
    """Files of an authority of our own and of what it signed: certificate and key."""

    authority: str
    good: tuple[str, str]
    for_another_name: tuple[str, str]
    expired: tuple[str, str]
    self_signed: tuple[str, str]

    def context(self) -> Any:
        """What a client needs to trust the authority."""
        return ssl.create_default_context(cafile=self.authority)


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_HERE = "IP:127.0.0.1,IP:::1,DNS:localhost"


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def sign_itself(folder: Path, name: str, *extensions: str) -> tuple[str, str]:
    made = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
    openssl(folder, "req", "-x509", *_NEW_KEY, *made, "-subj", f"/CN={name}", "-days", "2", *extensions)
    return str(folder / f"{name}.pem"), str(folder / f"{name}.key")


def sign(folder: Path, name: str, subject_names: str, days: int) -> tuple[str, str]:
    openssl(folder, "req", *_NEW_KEY, "-keyout", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
    (folder / f"{name}.cnf").write_text(f"subjectAltName={subject_names}\n")
    authority = ("-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial")
    files = ("-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.cnf")
    openssl(folder, "x509", "-req", *files, *authority, "-days", str(days))
    return str(folder / f"{name}.pem"), str(folder / f"{name}.key")


def certificates_in(folder: Path) -> Certificates:
    """Make them with the openssl program."""
    authority, _ = sign_itself(folder, "authority")
    return Certificates(
        authority=authority,
        good=sign(folder, "good", _HERE, 2),
        for_another_name=sign(folder, "for_another_name", "DNS:other.example,IP:127.0.0.2", 2),
        expired=sign(folder, "expired", _HERE, -1),
        self_signed=sign_itself(folder, "self_signed", "-addext", f"subjectAltName={_HERE}"),
    )
