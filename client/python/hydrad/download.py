"""Files that a server sends, written where the user said and nowhere else."""

import os
import stat
from typing import Any, Iterable, List

from hydrad.errors import HydraError

# No descriptor.
_NONE = -1


def receive(pieces: Iterable[Any], directory: str, overwrite: bool) -> List[str]:
    """Writes hydra.v1.DownloadResponse after DownloadResponse; the files' paths.

    A file gets its name only when all of it has arrived. FileExistsError: one is
    there. HydraError (DATA_LOSS): a name is no plain file name, or sizes do not
    fit.
    """
    os.makedirs(directory, exist_ok=True)
    held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        receiver = _Receiver(held, directory, overwrite)
        try:
            for piece in pieces:
                receiver.take(piece)
            receiver.finish()
        finally:
            receiver.drop()
        return [os.path.join(directory, name) for name in receiver.names]
    finally:
        os.close(held)


class _Receiver:

    def __init__(self, held: int, directory: str, overwrite: bool):
        # That directory, whatever its path leads to meanwhile.
        self._held = held
        self._directory = directory
        self._overwrite = overwrite
        self.names: List[str] = []
        self._name = ""
        self._part = ""
        self._file = _NONE
        self._missing = 0

    def take(self, piece: Any) -> None:
        if piece.file_name:
            self.finish()
            self._begin(piece.file_name, piece.file_bytes)
        if not self._name or len(piece.data) > self._missing:
            raise _data_loss(f"the server sent {len(piece.data)} B too many "
                             f"after file {self._name!r}")
        data = memoryview(piece.data)
        while data:
            data = data[os.write(self._file, data):]
        self._missing -= len(piece.data)
        if self._missing == 0:
            self._end()

    def finish(self) -> None:
        if self._name:
            raise _data_loss(f"{self._name}: {self._missing} B are missing")

    def drop(self) -> None:
        """What is unfinished goes away."""
        if self._file != _NONE:
            os.close(self._file)
            self._file = _NONE
            os.unlink(self._part, dir_fd=self._held)

    def _begin(self, name: str, size: int) -> None:
        if name in (".", "..") or "/" in name or "\0" in name or size < 0:
            raise _data_loss(f"the server sent {name!r} of {size} B, which is "
                             "no plain file; nothing was written for it")
        self._refuse_taken(name)
        self._part = f".{name}.{os.getpid()}.part"
        # Never through a link that somebody else put there.
        try:
            os.unlink(self._part, dir_fd=self._held)
        except FileNotFoundError:
            pass
        self._file = os.open(self._part,
                             os.O_WRONLY | os.O_CREAT | os.O_EXCL |
                             os.O_NOFOLLOW | os.O_CLOEXEC, 0o666,
                             dir_fd=self._held)
        self._name, self._missing = name, size

    def _end(self) -> None:
        os.fsync(self._file)
        self._refuse_taken(self._name)
        os.rename(self._part, self._name, src_dir_fd=self._held,
                  dst_dir_fd=self._held)
        os.close(self._file)
        self._file = _NONE
        self.names.append(self._name)
        self._name = ""

    def _refuse_taken(self, name: str) -> None:
        try:
            # A link counts, wherever it leads to.
            found = os.stat(name, dir_fd=self._held, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not self._overwrite or stat.S_ISDIR(found.st_mode):
            raise FileExistsError(os.path.join(self._directory, name) +
                                  " exists")


def _data_loss(message: str) -> HydraError:
    return HydraError("DATA_LOSS", message)
