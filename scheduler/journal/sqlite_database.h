#ifndef HYDRA_SCHEDULER_JOURNAL_SQLITE_DATABASE_H_
#define HYDRA_SCHEDULER_JOURNAL_SQLITE_DATABASE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// A prepared statement. Parameters count from 1, columns from 0, as in SQLite.
// Must not outlive its database. Not thread-safe.
class SqliteStatement {
 public:
  void BindInteger(int parameter, int64_t value);
  // `bytes` must stay as they are until the statement has been reset.
  // INVALID_ARGUMENT: too long for SQLite (1,000,000,000 B).
  absl::Status BindBlob(int parameter, absl::string_view bytes);

  // True: there is a row. False: no row is left. After an error, reset.
  absl::StatusOr<bool> Step();
  // Of the row; what Blob returns is valid until the next step or reset.
  int64_t Integer(int column) const;
  absl::string_view Blob(int column) const;

  void Reset();

  // Steps to the end and resets; for statements without rows.
  absl::Status Run();

 private:
  friend class SqliteDatabase;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const {
      sqlite3_finalize(statement);
    }
  };

  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// A connection to an SQLite file, with SQLite's codes as statuses:
//
// RESOURCE_EXHAUSTED: no room on the disk, or no memory.
// DATA_LOSS: the file is damaged, no SQLite file, or lacks a table or column.
// FAILED_PRECONDITION: another connection holds the file.
// Others: what the system said, else INTERNAL.
//
// Every message begins with the full path of the file. Not thread-safe.
class SqliteDatabase {
 public:
  // The file must exist; it may be empty. Nothing is read or locked yet.
  // `vfs` names a registered sqlite3_vfs; empty: the default one.
  static absl::StatusOr<SqliteDatabase> Open(const std::string& path,
                                             const std::string& vfs);

  // Runs statements whose rows nobody wants.
  absl::Status Run(const std::string& sql) const;

  absl::StatusOr<SqliteStatement> Prepare(const std::string& sql) const;

  // The first column of the only row.
  absl::StatusOr<int64_t> ReadInteger(const std::string& sql) const;
  absl::StatusOr<std::string> ReadText(const std::string& sql) const;

  // False between BEGIN and COMMIT or ROLLBACK. An error may end a transaction
  // by itself.
  bool in_transaction() const;

  // Once the file was read: whether its mode or its header forbids writing.
  bool is_read_only() const;

  // Ends a transaction, if there still is one.
  void RollBack() const;

  // With false, closing leaves the file and its write-ahead log as they are.
  void CleanUpOnClose(bool clean_up) const;

  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };

  SqliteDatabase(std::string path, sqlite3* database)
      : path_(std::move(path)), database_(database) {}

  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_SQLITE_DATABASE_H_
