#ifndef HYDRA_WORKER_DATA_TOKEN_WRITER_H_
#define HYDRA_WORKER_DATA_TOKEN_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/hash/sha256.h"
#include "worker/data/posix_file.h"
#include "worker/task/task_control.h"

namespace hydra {

// The tokens that an unfinished file begins with.
struct WrittenTokens {
  int64_t token_count = 0;
  uint32_t max_token_id = 0;
  std::string ids_sha256;  // Of the ids' bytes, raw bytes.
};

// Writes a prepared token file. Begin or Resume, any number of Append and Save,
// Finish; after an error the file is worthless, but for what Save told of.
// Not thread-safe.
class TokenWriter {
 public:
  // `file` is open for reading and writing, stands at its start and outlives
  // the writer.
  explicit TokenWriter(PosixFile* file) : file_(*file) {}

  // Throws away what the file has.
  absl::Status Begin();

  // Goes on behind `written`; what the file has behind it is thrown away.
  //
  // DATA_LOSS: the file does not begin so. Another writer may still Begin.
  // ABORTED: `control` says so, which is told of each piece that is read.
  absl::Status Resume(const WrittenTokens& written, TaskControl& control);

  absl::Status Append(absl::Span<const uint32_t> ids);

  // What another writer may resume behind; it is on the medium.
  absl::StatusOr<WrittenTokens> Save();

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
