#ifndef HYDRA_SCHEDULER_JOURNAL_TESTING_POWER_CUT_VFS_H_
#define HYDRA_SCHEDULER_JOURNAL_TESTING_POWER_CUT_VFS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "scheduler/journal/testing/vfs_shim.h"

namespace hydra {

// Files of which a power cut keeps only what was synchronised, and of the rest
// what chance wants: nothing, all up to some write, or any of the writes, some
// of them in part.
//
// The connection goes on after the cut as if nothing had been; what the disk
// held at the cut is in survivors().
class PowerCutVfs final : public VfsShim {
 public:
  PowerCutVfs() : VfsShim("power_cut") {}

  // Cuts before the k-th call (from 1) that changes a file, counted from now
  // on; the disk is empty. Calls `at_cut` then.
  void CutAt(int k, uint32_t seed, std::function<void()> at_cut);
  bool was_cut() const { return was_cut_; }

  // File names without their directory, and contents.
  const std::map<std::string, std::string>& survivors() const {
    return survivors_;
  }

  int Write(const std::string& path, sqlite3_file* real, absl::string_view data,
            int64_t offset) override;
  int Truncate(const std::string& path, sqlite3_file* real,
               int64_t size) override;
  int Sync(const std::string& path, sqlite3_file* real, int flags) override;
  int Delete(const std::string& path, bool sync_directory) override;

 private:
  struct Change {
    enum Kind { kWrite, kTruncate, kDelete };
    Kind kind;
    // Or the new size.
    int64_t offset = 0;
    std::string data;
  };
  struct File {
    bool exists_on_disk = false;
    std::string on_disk;
    // Since the last synchronisation.
    std::vector<Change> pending;
  };

  static void Make(const Change& change, File& file);
  void CountCall();
  void Cut();
  void MakeSome(File& file);

  std::map<std::string, File> files_;
  std::map<std::string, std::string> survivors_;
  int calls_left_ = 0;
  bool was_cut_ = false;
  std::mt19937 random_;
  std::function<void()> at_cut_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_TESTING_POWER_CUT_VFS_H_
