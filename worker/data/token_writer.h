#ifndef HYDRA_WORKER_DATA_TOKEN_WRITER_H_
#define HYDRA_WORKER_DATA_TOKEN_WRITER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "worker/data/posix_file.h"
#include "common/hash/sha256.h"

namespace hydra {

// Writes a prepared token file. Begin, any number of Append, Finish; after an
// error the file is worthless. Not thread-safe.
class TokenWriter {
 public:
  // `file` must be empty, stand at its start and outlive the writer.
  explicit TokenWriter(PosixFile* file) : file_(*file) {}

  absl::Status Begin();
  absl::Status Append(absl::Span<const uint32_t> ids);

  // Writes the header and waits until all is on the medium. Until then the file
  // is not taken for a prepared one.
  absl::Status Finish();

 private:
  PosixFile& file_;
  Sha256 sha_;
  int64_t token_count_ = 0;
  uint32_t max_token_id_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TOKEN_WRITER_H_
