"""Where the server is, as the command line finds it."""

import os
import urllib.parse
from typing import Callable, List, Mapping, NamedTuple, Optional

# The kernel's limit, without the final NUL.
_MOST_SOCKET_PATH_BYTES = 107


class SshAddress(NamedTuple):
    """ssh://[user@]host[:port][/path/to/hydrad.sock]"""

    destination: str
    port: Optional[int]
    # Empty: where `hydra` on that host finds it.
    socket_path: str


def resolve(server: Optional[str], environ: Mapping[str, str] = os.environ,
            exists: Callable[[str], bool] = os.path.exists) -> str:
    """unix:/path, host:port or ssh://host, as a user writes it.

    `server`, else $HYDRA_SERVER, else the first of the usual sockets that
    exists. ValueError: none of these, or it has no such form.
    """
    if server:
        return _checked(server, "server")
    if environ.get("HYDRA_SERVER"):
        return _checked(environ["HYDRA_SERVER"], "$HYDRA_SERVER")
    sockets = _usual_sockets(environ)
    for path in sockets:
        if exists(path):
            return "unix:" + path
    raise ValueError("no server given, $HYDRA_SERVER is not set, and there is "
                     "no socket " + ", ".join(sockets))


def grpc_target(address: str) -> str:
    """The same as a URI, which gRPC wants: a path may have any character."""
    if not address.startswith("unix:"):
        return address
    return "unix:" + urllib.parse.quote(address[len("unix:"):], safe="/-._~")


def ssh_address(address: str) -> SshAddress:
    parts = urllib.parse.urlsplit(address)
    host, user = parts.hostname or "", parts.username
    # ssh takes what begins so for an option.
    if not host or host.startswith("-") or (user or "").startswith("-"):
        raise ValueError(f"{address!r} names no host; expected ssh://host")
    if parts.password is not None or parts.query or parts.fragment:
        raise ValueError(f"{address!r}: expected "
                         "ssh://[user@]host[:port][/path/to/hydrad.sock]")
    path = "" if parts.path == "/" else urllib.parse.unquote(parts.path)
    return SshAddress(f"{user}@{host}" if user else host, parts.port, path)


def _usual_sockets(environ: Mapping[str, str]) -> List[str]:
    sockets = []
    if environ.get("XDG_RUNTIME_DIR"):
        sockets.append(environ["XDG_RUNTIME_DIR"] + "/hydrad.sock")
    sockets.append("/run/hydra/hydrad.sock")
    if environ.get("HOME"):
        sockets.append(environ["HOME"] + "/.local/state/hydra/hydrad.sock")
    return sockets


def _checked(text: str, origin: str) -> str:
    if text.startswith("ssh://"):
        ssh_address(text)
        return text
    if text.startswith("/"):
        text = "unix:" + text
    if text.startswith("unix:") and text != "unix:":
        size = len(os.fsencode(text[len("unix:"):]))
        if size > _MOST_SOCKET_PATH_BYTES:
            raise ValueError(f"{origin} is a socket's path of {size} bytes; at "
                             f"most {_MOST_SOCKET_PATH_BYTES} are possible")
        return text
    host, _, port = text.rpartition(":")
    if host and port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        return text
    raise ValueError(f"{origin} is {text!r}; expected unix:/path/to/hydrad.sock,"
                     " host:port or ssh://host")
