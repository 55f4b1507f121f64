"""A server on another machine, through ssh."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from typing import List, Sequence

from hydrad.address import SshAddress

# /usr/bin/hydra may be another program where there is a hydractl.
_REMOTE_SCRIPT = ('command -v hydractl >/dev/null && exec hydractl proxy "$@"; '
                  'exec hydra proxy "$@"')


def remote_command(address: SshAddress, ssh: Sequence[str]) -> List[str]:
    """What connects its standard streams to the server's socket."""
    command = list(ssh)
    if address.port is not None:
        command += ["-p", str(address.port)]
    remote = ["sh", "-c", _REMOTE_SCRIPT, "hydra"]
    if address.socket_path:
        remote += ["--server", "unix:" + address.socket_path]
    return command + ["-T", "--", address.destination, shlex.join(remote)]


class Tunnel:
    """A local socket each connection to which is one `ssh host hydra proxy`.

    Identity, encryption and keys are ssh's; what it says goes to standard
    error. The socket lies in a directory that this user alone may enter.
    """

    def __init__(self, address: SshAddress, ssh: Sequence[str] = ("ssh",)):
        self._command = remote_command(address, ssh)
        self._children: List[subprocess.Popen] = []
        self._lock = threading.Lock()
        self._closed = False
        self._directory = tempfile.mkdtemp(prefix="hydrad-")
        self.path = os.path.join(self._directory, "hydrad.sock")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.bind(self.path)
            self._socket.listen()
        except OSError:
            self._socket.close()
            shutil.rmtree(self._directory, ignore_errors=True)
            raise
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            children = list(self._children)
        # Wakes the thread out of accept().
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join()
        self._socket.close()
        for child in children:
            child.terminate()
        for child in children:
            child.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, self._lock:
                if self._closed:
                    return
                # Those that ended are waited for.
                self._children = [c for c in self._children if c.poll() is None]
                try:
                    self._children.append(subprocess.Popen(
                        self._command, stdin=connection.fileno(),
                        stdout=connection.fileno()))
                except OSError as error:
                    # The caller sees its connection closed.
                    print(f"hydrad: cannot start {self._command[0]}: {error}",
                          file=sys.stderr)
