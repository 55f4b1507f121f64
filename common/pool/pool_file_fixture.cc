#include "common/pool/pool_file_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace hydra {

std::string NewDirectory(const std::string& parent) {
  std::string path = absl::StrCat(parent, "/pool_test_XXXXXX");
  EXPECT_NE(mkdtemp(path.data()), nullptr) << path;
  return path;
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

Child::Child(const std::function<bool()>& work) {
  int ready[2];
  EXPECT_EQ(pipe(ready), 0);
  pid_ = fork();
  if (pid_ == 0) {
    const char done = work() ? 'y' : 'n';
    if (write(ready[1], &done, 1) == 1) pause();
    _exit(1);
  }
  close(ready[1]);
  char done = 'n';
  EXPECT_EQ(read(ready[0], &done, 1), 1);
  EXPECT_EQ(done, 'y');
  close(ready[0]);
}

void Child::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  EXPECT_EQ(waitpid(pid_, nullptr, 0), pid_);
  pid_ = 0;
}

PoolFileFixture::PoolFileFixture(const std::string& parent_directory)
    : directory_(NewDirectory(parent_directory)) {
  options_.path = absl::StrCat(directory_, "/pool");
  options_.size_bytes = kSize;
}

PoolFileFixture::~PoolFileFixture() {
  unlink(options_.path.c_str());
  rmdir(directory_.c_str());
}

std::unique_ptr<PoolFile> PoolFileFixture::Create() {
  auto pool = PoolFile::Create(options_);
  EXPECT_TRUE(pool.ok()) << pool.status();
  return pool.ok() ? *std::move(pool) : nullptr;
}

}  // namespace hydra
