#ifndef HYDRA_SCHEDULER_JOURNAL_TESTING_VFS_SHIM_H_
#define HYDRA_SCHEDULER_JOURNAL_TESTING_VFS_SHIM_H_

#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// An sqlite3_vfs under a name of its own. It lets a subclass see, change or
// fail what SQLite does to files; by itself it hands all on to the system's.
// For one thread and exclusive locking: it has no shared memory. Must outlive
// the connections that use it.
class VfsShim {
 public:
  explicit VfsShim(std::string name);
  virtual ~VfsShim();
  VfsShim(const VfsShim&) = delete;
  VfsShim& operator=(const VfsShim&) = delete;

  const std::string& name() const { return name_; }

  // Each returns an SQLite code. `path` is empty for temporary files.
  virtual int BeforeOpen(const std::string& path);
  virtual int Write(const std::string& path, sqlite3_file* real,
                    absl::string_view data, int64_t offset);
  virtual int Truncate(const std::string& path, sqlite3_file* real,
                       int64_t size);
  virtual int Sync(const std::string& path, sqlite3_file* real, int flags);
  virtual int Delete(const std::string& path, bool sync_directory);

  sqlite3_vfs* system() const { return system_; }

 private:
  const std::string name_;
  sqlite3_vfs* const system_;
  sqlite3_vfs vfs_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_TESTING_VFS_SHIM_H_
