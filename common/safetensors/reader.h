#ifndef HYDRA_COMMON_SAFETENSORS_READER_H_
#define HYDRA_COMMON_SAFETENSORS_READER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/file/file.h"
#include "common/safetensors/header.h"

namespace hydra::safetensors {

// An open safetensors file. Its header was read and checked once; data is
// copied out when asked for. Nothing is mapped, so that a file which is
// truncated meanwhile gives an error and no signal.
//
// Thread-safe; movable. Reading blocks on the disk. Errors name the path.
class Reader {
 public:
  // NOT_FOUND, PERMISSION_DENIED: as the system says.
  // INVALID_ARGUMENT: not a regular file, or not a safetensors file.
  static absl::StatusOr<Reader> Open(const std::string& path);

  // The same for a file opened for reading; `path` is for messages.
  static absl::StatusOr<Reader> FromFile(UniqueFd fd, std::string path);

  const std::string& path() const { return path_; }
  const UniqueFd& fd() const { return fd_; }
  const TensorTable& table() const { return table_; }

  // Copies the bytes [offset, offset + bytes) of a tensor to `to`.
  //
  // NOT_FOUND: no such tensor.
  // OUT_OF_RANGE: the range leaves the tensor. Nothing was read.
  // DATA_LOSS: the file has become shorter; `to` is partly written.
  absl::Status Read(absl::string_view name, int64_t offset_bytes, int64_t bytes,
                    void* to) const;

  // Writes the elements [first, first + to.size()) of a tensor of F32, F16 or
  // BF16 to `to`, each exactly.
  //
  // INVALID_ARGUMENT: the tensor has another dtype. Others: as Read().
  absl::Status ReadAsFloat32(absl::string_view name, int64_t first_element,
                             absl::Span<float> to) const;

 private:
  Reader(UniqueFd fd, std::string path, TensorTable table);

  absl::StatusOr<const TensorInfo*> Find(absl::string_view name) const;
  absl::Status ReadWidened(const TensorInfo& tensor, int64_t first_element,
                           absl::Span<float> to) const;

  UniqueFd fd_;
  std::string path_;
  TensorTable table_;
};

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_READER_H_
