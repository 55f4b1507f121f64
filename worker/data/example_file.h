#ifndef HYDRA_WORKER_DATA_EXAMPLE_FILE_H_
#define HYDRA_WORKER_DATA_EXAMPLE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/file/file.h"
#include "common/safetensors/dtype.h"
#include "worker/task/task_control.h"

namespace hydra {

// The front of a prepared file of examples, little-endian:
//
//   offset  bytes
//        0      8  "HYDRAEXM"
//        8      4  the version: 2 with values, else 1
//       12      4  how numbers lie there: 0 F32, 1 F16, 2 BF16, 3 U8
//       16      8  example_count
//       24      8  element_count
//       32     32  content_hash: SHA-256 of all bytes behind the header
//       64      4  the number of planes that have values
//       68     52  zeros
//      120      8  the first bytes of SHA-256 of all that stands before
//
// Then come the values, 256 F32 for each plane, and then the examples, each of
// them its class as an int64 and its numbers.
struct ExampleHeader {
  static constexpr int64_t kBytes = 128;

  // kF32, kF16, kBF16 or kU8.
  safetensors::Dtype dtype = safetensors::Dtype::kF32;
  int64_t example_count = 0;
  // Numbers of an example.
  int64_t element_count = 0;
  std::string content_hash;  // Raw bytes.
  // Of kU8, if bytes mean something else than 255ths: each example is as many
  // planes, equally long and one behind the other, as there are 256 of these:
  // what each byte means in the first one, in the second one, and so on. So a
  // picture of bytes takes a quarter of its numbers' room.
  std::vector<float> values;

  int64_t example_bytes() const;
  // Where the first example begins.
  int64_t first_example() const;
};

// Whether examples may have numbers of that type.
bool IsExampleType(safetensors::Dtype dtype);

// Without the values, which follow it. Requires a type of examples, and a
// content_hash of 32 bytes.
std::string EncodeExampleHeader(const ExampleHeader& header);

// A prepared file of examples, open for reading: a few bytes at a time are read
// of a file of any size, and it is never mapped. Movable. Thread-safe: constant
// once opened.
class ExampleFile {
 public:
  // Checks the header and the file's size, not the examples (see CheckContent).
  //
  // DATA_LOSS: not a whole prepared file of examples, or the disk fails.
  // INVALID_ARGUMENT: no regular file. NOT_FOUND and others from the file
  // system. Errors name `path`.
  static absl::StatusOr<ExampleFile> Open(const std::string& path);

  int64_t example_count() const { return header_.example_count; }
  int64_t element_count() const { return header_.element_count; }
  const std::string& path() const { return path_; }

  // The class of an example. Requires that there is such an example.
  // DATA_LOSS: the file has become shorter, or the disk fails.
  absl::StatusOr<int64_t> ReadClass(int64_t example) const;
  // And its numbers, each exactly; bytes as what they mean. Requires room for
  // element_count() of them in `numbers`.
  absl::StatusOr<int64_t> Read(int64_t example,
                               absl::Span<float> numbers) const;

  // Reads all that is behind the header and tells `control` of each piece.
  // DATA_LOSS: it is not what the header vouches for, or as Read. ABORTED:
  // `control` says so.
  absl::Status CheckContent(TaskControl& control) const;

 private:
  ExampleFile(std::string path, ExampleHeader header, UniqueFd fd);

  int64_t OffsetOf(int64_t example) const;

  std::string path_;
  ExampleHeader header_;
  UniqueFd fd_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_EXAMPLE_FILE_H_
