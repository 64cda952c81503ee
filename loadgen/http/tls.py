"""TLS between a socket and its reader, without either: bytes in, bytes out. Contexts that verify, one per process."""

import ssl
from functools import lru_cache

from loadgen.http.answer import BadAnswer

_READ_BYTES = 65536


@lru_cache(maxsize=4)
def client_context(*, verify: bool = True, authority: str | None = None) -> ssl.SSLContext:
    """What connections share: the machine's authorities (or SSL_CERT_FILE's), HTTP/1.1, TLS 1.2 and later.

    `authority` is a PEM file of one more. One context of a kind per process: reading the certificates takes longer than
    many requests. OSError (ssl.SSLError among them) when the file cannot be read.
    """
    context = ssl.create_default_context()
    if authority is not None:
        context.load_verify_locations(authority)
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class TlsStream:
    """The client's end of one TLS connection."""

    __slots__ = ("_ended", "_inbound", "_outbound", "_tls")

    def __init__(self, context: ssl.SSLContext, host: str, session: ssl.SSLSession | None) -> None:
        self._inbound, self._outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._inbound, self._outbound, server_hostname=host, session=session)
        self._ended = False

    @property
    def session(self) -> ssl.SSLSession | None:
        """What lets a later connection resume."""
        return self._tls.session

    def feed(self, data: bytes) -> None:
        """Take in what came from the socket; nothing means that it was closed."""
        if data:
            self._inbound.write(data)
        else:
            self._ended = True
            self._inbound.write_eof()

    def outbound(self) -> bytes:
        """What must be sent now."""
        return self._outbound.read()

    def shake_hands(self) -> bool:
        """Go on with the handshake; False while more must be exchanged. ssl.SSLError when it fails."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def encrypt(self, data: bytes) -> bytes:
        """What to send so that the other end reads `data`."""
        self._tls.write(data)
        return self._outbound.read()

    def read(self) -> bytes | None:
        """Decrypted bytes; none at an orderly end, None while more must come.

        BadAnswer when the connection ended without TLS's goodbye: what came may have been cut short. ssl.SSLError for
        what is not TLS.
        """
        try:
            return self._tls.read(_READ_BYTES)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLEOFError:
            raise BadAnswer("the connection ended without TLS's goodbye") from None
