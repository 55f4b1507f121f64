#ifndef HYDRA_WORKER_EXEC_REPEATED_MEMORY_H_
#define HYDRA_WORKER_EXEC_REPEATED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hydra {

// A range of addresses of any length in which one small piece of memory repeats
// itself: whoever needs bytes to read or a place to write, and does not care
// which, gets them without their memory. Owns the range.
class RepeatedMemory {
 public:
  // Both sizes are at least 1 and get rounded up to whole pages.
  //
  // RESOURCE_EXHAUSTED: the kernel has no such piece or range.
  static absl::StatusOr<std::unique_ptr<RepeatedMemory>> Create(
      int64_t size_bytes, int64_t piece_bytes);
  ~RepeatedMemory();

  RepeatedMemory(const RepeatedMemory&) = delete;
  RepeatedMemory& operator=(const RepeatedMemory&) = delete;

  // The whole range: byte i is the same memory as byte i + piece().size().
  absl::Span<std::byte> all() const { return {base_, size_bytes_}; }
  // Its beginning, which is all the memory there is.
  absl::Span<std::byte> piece() const { return {base_, piece_bytes_}; }

 private:
  RepeatedMemory(std::byte* base, size_t size_bytes, size_t piece_bytes)
      : base_(base), size_bytes_(size_bytes), piece_bytes_(piece_bytes) {}

  std::byte* const base_;
  const size_t size_bytes_;
  const size_t piece_bytes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_REPEATED_MEMORY_H_
