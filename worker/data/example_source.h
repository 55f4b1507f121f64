#ifndef HYDRA_WORKER_DATA_EXAMPLE_SOURCE_H_
#define HYDRA_WORKER_DATA_EXAMPLE_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/model_table.h"
#include "common/safetensors/reader.h"
#include "worker/data/posix_file.h"

namespace hydra {

// A user's safetensors file of examples: a tensor of the model's input by its
// name, [examples, ...], of F32, F16, BF16 or U8; and `labels`, [examples], of
// I64 or I32, the class of each. Thread-safe; movable. Errors name the file and
// the tensor.
class ExampleSource {
 public:
  static constexpr char kLabels[] = "labels";

  // `file` is open for reading and need not outlive this. `input` is the
  // model's.
  //
  // INVALID_ARGUMENT: no safetensors file, or a tensor is missing, or has
  //   another type or shape than the model takes, or not as many examples as
  //   the other one: all of these mistakes, one in a line.
  static absl::StatusOr<ExampleSource> Open(const PosixFile& file,
                                            const ExampleInput& input);

  int64_t example_count() const { return example_count_; }
  safetensors::Dtype dtype() const { return dtype_; }
  // Tensors of the file that are not read.
  const std::vector<std::string>& others() const { return others_; }

  // Appends the examples [first, first + count) to `records`, as they lie in a
  // prepared file (see ExampleHeader).
  //
  // INVALID_ARGUMENT: a class that the model has not, or a number that is
  //   infinite or none; the message names the first such example.
  // DATA_LOSS: the file has become shorter.
  absl::Status Read(int64_t first, int64_t count, std::string* records) const;

 private:
  ExampleSource(safetensors::Reader reader, ExampleInput input);

  absl::Status ReadLabels(int64_t first, std::vector<int64_t>* labels) const;
  absl::Status CheckNumbers(int64_t example, absl::string_view bytes) const;

  safetensors::Reader reader_;
  ExampleInput input_;
  int64_t example_count_ = 0;
  safetensors::Dtype dtype_ = safetensors::Dtype::kF32;
  std::vector<std::string> others_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_EXAMPLE_SOURCE_H_
