#ifndef HYDRA_COMMON_POOL_POOL_FILE_FIXTURE_H_
#define HYDRA_COMMON_POOL_POOL_FILE_FIXTURE_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/file/scratch_directory.h"
#include "common/pool/pool_file.h"
#include "gtest/gtest.h"

namespace hydra {

bool Exists(const std::string& path);

// A process that does `work`, then stays until it is killed. It is a failure of
// the test if `work` returns false.
class Child {
 public:
  explicit Child(const std::function<bool()>& work);
  ~Child() { Kill(); }

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The process is gone when this returns.
  void Kill();

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

// For tests of one small pool in a directory of its own.
class PoolFileFixture : public testing::Test {
 protected:
  static constexpr int64_t kSize = 1 << 20;

  explicit PoolFileFixture(ScratchPlace place);

  // What options_ say; null, and a failure of the test, if that goes wrong.
  std::unique_ptr<PoolFile> Create();

  absl::Status CreateError() { return PoolFile::Create(options_).status(); }

  const ScratchDirectory directory_;
  PoolFile::CreateOptions options_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_POOL_POOL_FILE_FIXTURE_H_
