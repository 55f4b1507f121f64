#ifndef HYDRA_COMMON_CHECKPOINT_DISK_CALLS_H_
#define HYDRA_COMMON_CHECKPOINT_DISK_CALLS_H_

#include <set>
#include <string>

namespace hydra {

// Watches the calls by which this program opens and changes files, and lets one
// of them fail. A test that links this library calls its versions of open(),
// openat(), pwrite(), fsync(), mkdirat(), renameat() and renameat2(), and they
// the C library's.
//
// One object at a time, and one thread while it lives.
class DiskCalls {
 public:
  // Lets call number `failing`, counted from 0, fail with `error`, an errno. If
  // `name` is not empty, calls of that function alone are counted.
  DiskCalls(int failing, int error, const std::string& name = "");
  // Only watches.
  DiskCalls() : DiskCalls(-1, 0) {}
  ~DiskCalls();

  // The name of the function that failed; empty if it did not come to that.
  const std::string& failed() const { return failed_; }
  // Files whose bytes, and directories whose names, a power cut could lose.
  const std::set<std::string>& not_on_disk() const { return not_on_disk_; }
  // What was renamed while it, or something below it, was not on the disk.
  const std::set<std::string>& renamed_too_early() const { return too_early_; }

  // For the calls:

  // Whether this one fails; errno is set then.
  bool Fails(const std::string& name);
  void Changed(const std::string& path);
  void Synced(const std::string& path);
  void Renamed(const std::string& from, const std::string& to);

 private:
  const int failing_;
  const int error_;
  const std::string name_;
  int calls_ = 0;
  std::string failed_;
  std::set<std::string> not_on_disk_;
  std::set<std::string> too_early_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_DISK_CALLS_H_
