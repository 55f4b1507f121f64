#ifndef HYDRA_SCHEDULER_JOURNAL_TESTING_FAULT_VFS_H_
#define HYDRA_SCHEDULER_JOURNAL_TESTING_FAULT_VFS_H_

#include <cstdint>
#include <limits>
#include <string>

#include "scheduler/journal/testing/vfs_shim.h"

namespace hydra {

// Files whose k-th opening, write, truncation or synchronisation fails. A write
// that fails has done its first half, as far as that is whole sectors.
class FaultVfs final : public VfsShim {
 public:
  // One call, or that one and all after it.
  enum class Duration { kOnce, kFromThenOn };
  // What SQLite and `errno` say.
  enum class Error { kNoRoom, kInputOutput };

  FaultVfs() : VfsShim("fault") {}

  // Counts from now on. `k` begins with 1.
  void FailAt(int k, Duration duration, Error error);
  // Nothing fails any more.
  void Heal();
  bool has_failed() const { return failures_ > 0; }
  // Another call would fail.
  bool is_failing() const {
    return has_failed() && duration_ == Duration::kFromThenOn;
  }

  int BeforeOpen(const std::string& path) override;
  int Write(const std::string& path, sqlite3_file* real, absl::string_view data,
            int64_t offset) override;
  int Truncate(const std::string& path, sqlite3_file* real,
               int64_t size) override;
  int Sync(const std::string& path, sqlite3_file* real, int flags) override;

 private:
  bool NextFails();
  int CodeOr(int input_output_code) const;

  int calls_ = 0;
  int failures_ = 0;
  int first_failing_ = std::numeric_limits<int>::max();
  Duration duration_ = Duration::kOnce;
  Error error_ = Error::kInputOutput;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_TESTING_FAULT_VFS_H_
