"""One end of a few MPTCP transfers: prints what the application sent and received, a line a connection."""

import socket
import sys
import time

IPPROTO_MPTCP = 262
CHUNK = 40_000
PAUSE = 0.01


def send(connection, total):
    sent = 0
    while sent < total:
        piece = bytes(min(CHUNK, total - sent))
        connection.sendall(piece)
        sent += len(piece)
        time.sleep(PAUSE)
    return sent


def receive(connection, total):
    received = 0
    while received < total:
        piece = connection.recv(1 << 16)
        if not piece:
            break
        received += len(piece)
    return received


def drain(connection):
    extra = 0
    while piece := connection.recv(1 << 16):
        extra += len(piece)
    return extra


role, address, port, connections, up, down = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7])
if role == "server":
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # On every address: joins go to the one that is announced.
    listener.bind(("", port))
    listener.listen()
    print("ready", flush=True)
for _ in range(connections):
    if role == "server":
        connection, _ = listener.accept()
        received = receive(connection, up)
        sent = send(connection, down)
    else:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
        connection.connect((address, port))
        # The server announces its second address after the handshake; the join follows.
        sent = send(connection, up)
        received = receive(connection, down)
    connection.shutdown(socket.SHUT_WR)
    received += drain(connection)
    connection.close()
    print(sent, received, flush=True)
