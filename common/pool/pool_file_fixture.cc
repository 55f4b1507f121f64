#include "common/pool/pool_file_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/status/statusor.h"
#include "common/file/scratch_directory.h"

namespace hydra {

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

PoolFileFixture::PoolFileFixture(ScratchPlace place) : directory_(place) {
  options_.path = directory_.PathOf("pool");
  options_.size_bytes = kSize;
}

std::unique_ptr<PoolFile> PoolFileFixture::Create() {
  auto pool = PoolFile::Create(options_);
  EXPECT_TRUE(pool.ok()) << pool.status();
  return pool.ok() ? *std::move(pool) : nullptr;
}

}  // namespace hydra
