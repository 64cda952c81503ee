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

    def context(self) -> Any:
        """What a client needs to trust the authority."""
        return ssl.create_default_context(cafile=self.authority)


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def sign(folder: Path, name: str, subject_names: str, *validity: str) -> tuple[str, str]:
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key")
    openssl(folder, "req", *key, "-subj", f"/CN={name}", "-out", f"{name}.csr")
    (folder / f"{name}.cnf").write_text(f"subjectAltName={subject_names}\n")
    authority = ("-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial")
    files = ("-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.cnf")
    openssl(folder, "x509", "-req", *files, *authority, *validity)
    return str(folder / f"{name}.pem"), str(folder / f"{name}.key")


def certificates_in(folder: Path) -> Certificates:
    """Make them with the openssl program."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "authority.key")
    openssl(folder, "req", "-x509", *key, "-subj", "/CN=authority", "-days", "2", "-out", "authority.pem")
    here = "IP:127.0.0.1,IP:::1,DNS:localhost"
    return Certificates(
        authority=str(folder / "authority.pem"),
        good=sign(folder, "good", here, "-days", "2"),
        for_another_name=sign(folder, "other", "DNS:other.example,IP:127.0.0.2", "-days", "2"),
        expired=sign(folder, "expired", here, "-days", "-1"),
    )
