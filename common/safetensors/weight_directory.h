#ifndef HYDRA_COMMON_SAFETENSORS_WEIGHT_DIRECTORY_H_
#define HYDRA_COMMON_SAFETENSORS_WEIGHT_DIRECTORY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/file/file_user.h"
#include "common/safetensors/header.h"
#include "common/safetensors/reader.h"

namespace hydra::safetensors {

struct WeightDirectoryOptions {
  // Directories below which every file must really lie; one that cannot be
  // opened allows nothing. None: the model's own directory alone. The files of
  // a Hugging Face cache are links to ../../blobs.
  std::vector<std::string> allowed_roots;
  // As whom they are opened.
  FileUser user;
};

// One tensor of a model. Both pointers live as long as the WeightDirectory.
struct Weight {
  const TensorInfo* tensor;
  const Reader* file;
};

// The weights of a Hugging Face model directory: of model.safetensors if it
// exists, else of the files that model.safetensors.index.json names. Every file
// is open and its header checked; which file a weight is in can be forgotten.
//
// Thread-safe; movable. Errors name the file and the tensor or index entry.
class WeightDirectory {
 public:
  // NOT_FOUND: the directory, both of the files above, or a file that the
  //   index names do not exist.
  // PERMISSION_DENIED: a file really lies outside of the directory and of the
  //   allowed roots, is hydrad's own, or may not be read.
  // INVALID_ARGUMENT: the index or a file is malformed, or something else, such
  //   as a Git LFS pointer; or the index names a tensor that is not where it
  //   says, or a tensor is in two files.
  static absl::StatusOr<WeightDirectory> Open(
      const std::string& path, const WeightDirectoryOptions& options = {});

  // Ordered by name.
  absl::Span<const Weight> weights() const { return weights_; }

  // Null when there is no such tensor.
  const Weight* Find(absl::string_view name) const;

  // As Reader's.
  absl::Status Read(absl::string_view name, int64_t offset_bytes, int64_t bytes,
                    void* to) const;
  absl::Status ReadAsFloat32(absl::string_view name, int64_t first_element,
                             absl::Span<float> to) const;

 private:
  WeightDirectory(std::string path,
                  std::vector<std::unique_ptr<const Reader>> files);

  absl::StatusOr<const Reader*> FileOf(absl::string_view name) const;

  std::string path_;
  std::vector<std::unique_ptr<const Reader>> files_;
  std::vector<Weight> weights_;
};

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_WEIGHT_DIRECTORY_H_
