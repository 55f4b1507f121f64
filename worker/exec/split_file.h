#ifndef HYDRA_WORKER_EXEC_SPLIT_FILE_H_
#define HYDRA_WORKER_EXEC_SPLIT_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/model/model_table.h"
#include "worker/exec/host_batch.h"

namespace hydra {

// A split's prepared file, of tokens or of examples, open for reading.
// Thread-safe: constant once opened.
class SplitFile {
 public:
  virtual ~SplitFile() = default;

  // Of what the model of `table`, which outlives the file, is fed; of tokens,
  // windows have `context` of them. Takes a few microseconds.
  //
  // INVALID_ARGUMENT: a token file has an id that is no id of the model. The
  //   message names the file, and the window and position in it.
  // FAILED_PRECONDITION: it was not made for what the model learns.
  // DATA_LOSS: examples have another size than the model's.
  // Others: as TokenFile::Open and ExampleFile::Open.
  static absl::StatusOr<std::unique_ptr<const SplitFile>> Open(
      const std::string& path, int64_t context, const ModelTable& table);

  // Sequences, or examples.
  virtual int64_t window_count() const = 0;
  // A sequence of so many tokens may have fewer targets: some are kNoTarget, or
  // it has one class.
  virtual bool has_untrained_targets() const = 0;
  // Of a model of masked tokens: what stands in place of hidden ones.
  virtual int64_t mask_id() const { return 0; }

  // `with_inputs`: for the model's first layer, too. Of tokens that makes no
  // difference.
  //
  // Of a model of masked tokens, targets are all that may be hidden, and
  // nothing is yet; see MaskTokens.
  //
  // DATA_LOSS: an id, or a class, that is none of the model's, which the file's
  //   header had denied; or as TokenFile::Read and ExampleFile::Read.
  // OUT_OF_RANGE: a window that the file does not have.
  virtual absl::StatusOr<HostBatch> Read(absl::Span<const int64_t> windows,
                                         bool with_inputs) const = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_SPLIT_FILE_H_
