#include "worker/exec/repeated_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"

namespace hydra {
namespace {

int64_t WholePages(int64_t bytes) {
  const int64_t page_bytes = sysconf(_SC_PAGESIZE);
  return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

absl::Status Shortage(int64_t size_bytes, int64_t piece_bytes, int error) {
  return absl::ResourceExhaustedError(
      absl::StrCat("no ", piece_bytes, " bytes of host memory to show as ",
                   size_bytes, ": errno ", error));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RepeatedMemory>> RepeatedMemory::Create(
    int64_t size_bytes, int64_t piece_bytes) {
  size_bytes = WholePages(size_bytes);
  piece_bytes = std::min(size_bytes, WholePages(piece_bytes));
  const UniqueFd fd(memfd_create("hydra-repeated", MFD_CLOEXEC));
  if (!fd.is_open()) return Shortage(size_bytes, piece_bytes, errno);
  const int error = posix_fallocate(fd.get(), 0, piece_bytes);
  if (error != 0) return Shortage(size_bytes, piece_bytes, error);
  void* const base = mmap(nullptr, size_bytes, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return Shortage(size_bytes, piece_bytes, errno);
  auto memory = absl::WrapUnique(new RepeatedMemory(
      static_cast<std::byte*>(base), size_bytes, piece_bytes));
  for (int64_t begin = 0; begin < size_bytes; begin += piece_bytes) {
    const int64_t bytes = std::min(piece_bytes, size_bytes - begin);
    if (mmap(memory->base_ + begin, bytes, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_FIXED, fd.get(), 0) == MAP_FAILED) {
      return Shortage(size_bytes, piece_bytes, errno);
    }
  }
  return memory;
}

RepeatedMemory::~RepeatedMemory() { munmap(base_, size_bytes_); }

}  // namespace hydra
