// A library for LD_PRELOAD: while the file that FAILING_SYNC_FILE names exists,
// nothing can be synchronised; fsync and fdatasync fail with EIO, as they do on
// a broken disk.

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

namespace {

int Sync(const char* name, int fd) {
  static const char* const path = getenv("FAILING_SYNC_FILE");
  if (path != nullptr && access(path, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  return reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, name))(fd);
}

}  // namespace

extern "C" {

int fsync(int fd) { return Sync("fsync", fd); }

int fdatasync(int fd) { return Sync("fdatasync", fd); }

}  // extern "C"
