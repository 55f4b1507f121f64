#include "scheduler/journal/sqlite_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/journal/sqlite_wal_tail.h"

namespace hydra {
namespace {

// Locks the file for as long as the connection lives. The locking mode also
// keeps the log's index out of shared memory. What is erased need not be
// overwritten. The cache is 16 MB.
absl::Status Lock(const SqliteDatabase& database, OnDamage on_damage) {
  const bool refuse = on_damage == OnDamage::kRefuse;
  absl::Status locked = database.Run(
      absl::StrCat("PRAGMA writable_schema = ", refuse ? "OFF" : "ON",
                   ";PRAGMA cell_size_check = ", refuse ? "ON" : "OFF",
                   ";PRAGMA locking_mode = EXCLUSIVE"
                   ";PRAGMA secure_delete = OFF"
                   ";PRAGMA cache_size = -16384"
                   ";BEGIN EXCLUSIVE"
                   ";ROLLBACK"));
  if (absl::IsFailedPrecondition(locked)) {
    return absl::FailedPreconditionError(
        absl::StrCat(database.path(), " is held by another process"));
  }
  return locked;
}

// SQLite takes the log of an empty file for a left-over one and removes it.
absl::Status CheckNotEmptied(const std::string& path) {
  struct stat file = {};
  struct stat wal = {};
  if (stat(path.c_str(), &file) == 0 && file.st_size == 0 &&
      stat(absl::StrCat(path, "-wal").c_str(), &wal) == 0 && wal.st_size > 0) {
    return absl::DataLossError(absl::StrCat(path, " is empty, but there are ",
                                            wal.st_size, " B of its log"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MakeFileIfMissing(const std::string& path) {
  // SQLite would let others read it, and gives its logs the mode of the file.
  const int fd =
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) {
    close(fd);
    return absl::OkStatus();
  }
  if (errno == EEXIST) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", path));
}

absl::Status RemoveSqliteFile(const std::string& path) {
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
    const std::string name = absl::StrCat(path, suffix);
    if (unlink(name.c_str()) != 0 && errno != ENOENT) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot remove ", name));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<SqliteDatabase> OpenSqliteFile(const std::string& path,
                                              const std::string& vfs,
                                              OnDamage on_damage) {
  absl::Status status = CheckNotEmptied(path);
  if (!status.ok()) return status;
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(path, vfs);
  if (!database.ok()) return database.status();
  database->CleanUpOnClose(false);
  status = Lock(*database, on_damage);
  if (!status.ok()) return status;
  if (on_damage == OnDamage::kRefuse && database->is_read_only()) {
    if (access(path.c_str(), W_OK) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
    }
    return absl::DataLossError(
        absl::StrCat(path, " is damaged: its header forbids writing"));
  }
  return database;
}

absl::Status CheckLog(const std::string& path) {
  const absl::StatusOr<WalTail> tail = InspectWal(absl::StrCat(path, "-wal"));
  if (!tail.ok()) return tail.status();
  if (tail->cut_bytes > 0) {
    LOG(WARNING) << path << ": cut off an unfinished transaction at the end "
                 << "of its log: " << tail->cut_frames << " pages, "
                 << tail->cut_bytes << " B; " << tail->kept_frames
                 << " pages before it are whole";
  }
  return absl::OkStatus();
}

absl::Status CheckStructure(const SqliteDatabase& database) {
  constexpr int kMostFindings = 5;
  absl::StatusOr<SqliteStatement> check =
      database.Prepare(absl::StrCat("PRAGMA quick_check(", kMostFindings, ")"));
  if (!check.ok()) return check.status();
  std::string findings;
  while (true) {
    const absl::StatusOr<bool> row = check->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    absl::StrAppend(&findings, findings.empty() ? "" : "; ", check->Blob(0));
  }
  if (findings == "ok") return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(database.path(), " is damaged: ", findings));
}

absl::Status SetDurable(const SqliteDatabase& database, bool durable) {
  // EXTRA: also makes the removal of the rollback journal durable that SQLite
  // uses until the write-ahead log is on. A log of 4 MB is written back; one
  // that grew beyond 16 MB is made smaller again.
  //
  // Without synchronisation a rollback journal is as safe when the process
  // dies, and no transaction has to wait until a log is written back.
  const std::string mode = durable ? "wal" : "persist";
  absl::Status set = database.Run(
      absl::StrCat("PRAGMA synchronous = ", durable ? "EXTRA" : "OFF",
                   ";PRAGMA wal_autocheckpoint = 1000"
                   ";PRAGMA journal_size_limit = 16777216"));
  if (!set.ok()) return set;
  const absl::StatusOr<std::string> got =
      database.ReadText(absl::StrCat("PRAGMA journal_mode = ", mode));
  if (!got.ok()) return got.status();
  if (*got == mode) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(database.path(), ": journal mode is ",
                                          *got, ", expected ", mode));
}

}  // namespace hydra
