#include "tests/fuzz/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {

MemoryFile::MemoryFile()
    : fd_(memfd_create("fuzz", MFD_CLOEXEC)),
      path_(absl::StrCat("/proc/self/fd/", fd_)) {
  PCHECK(fd_ >= 0);
}

MemoryFile::~MemoryFile() { close(fd_); }

void MemoryFile::Write(absl::string_view bytes) {
  PCHECK(ftruncate(fd_, 0) == 0);
  PCHECK(pwrite(fd_, bytes.data(), bytes.size(), 0) ==
         static_cast<ssize_t>(bytes.size()));
}

}  // namespace hydra
