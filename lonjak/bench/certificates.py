"""A certificate for the bench's own server, and the authority that signed it, made by the `openssl` program."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from loadgen.errors import EnvironmentProblem

_CONFIGURATION = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = Lonjak's bench
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = IP:127.0.0.1
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
_STEPS = (
    f"req -x509 {_KEY} -config bench.cnf -extensions authority -days 2 -keyout ca.key -out ca.pem",
    f"req {_KEY} -config bench.cnf -keyout server.key -out server.csr",
    "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
    "-extfile bench.cnf -extensions server -out server.pem",
)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files: the authority to trust, the server's certificate and its key."""

    authority: Path
    server: Path
    key: Path


def make(folder: Path, program: str) -> Certificates:
    """New ones for 127.0.0.1, valid for two days. EnvironmentProblem says what openssl did not like."""
    (folder / "bench.cnf").write_text(_CONFIGURATION, encoding="utf-8")
    for step in _STEPS:
        result = subprocess.run((program, *step.split()), cwd=folder, capture_output=True, text=True, check=False)
        if result.returncode:
            raise EnvironmentProblem(f"openssl {step.split()[0]} failed: {result.stderr.strip()[-200:]}")
    return Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
