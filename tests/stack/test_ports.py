import os
import socket

import psutil
import pytest

from reference_shop.stack import ports
from reference_shop.stack.problems import PortHeld


def test_a_taken_port_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = ports.number_of(taken)
        with pytest.raises(PortHeld) as caught:
            ports.check_free(port)
    holder = f"{psutil.Process().name()} (pid {os.getpid()})"
    assert str(caught.value) == f"port {port} is held by {holder}: stop it, or choose another with --port"


def test_a_port_taken_on_every_address_is_taken() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken, pytest.raises(PortHeld):
        ports.check_free(ports.number_of(taken))


def test_a_reserved_port_refuses_connections_until_its_program_listens() -> None:
    with ports.reserve() as reserved:
        address = ("127.0.0.1", ports.number_of(reserved))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=1)
        with ports.listen(address[1]), socket.create_connection(address, timeout=1) as connection:
            assert connection.getpeername() == address
