#ifndef HYDRA_WORKER_DATA_PREPARE_PROGRESS_H_
#define HYDRA_WORKER_DATA_PREPARE_PROGRESS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_source.h"
#include "worker/data/token_writer.h"

namespace hydra {

// How far the making of a token file got, as it stands in a small file beside
// it, so that another process can go on there.
struct PrepareProgress {
  // Where to go on: in this data file, counted from 0, at this place.
  int64_t file = 0;
  SourcePlace place;
  // What is in the token file by then.
  WrittenTokens written;
};

// Replaces the content of `file`; returns once it is on the medium.
absl::Status SaveProgress(const PrepareProgress& progress, PosixFile* file);

// Reads `file`, which stands at its start. DATA_LOSS: SaveProgress did not
// write it, or not to its end; an empty file too.
absl::StatusOr<PrepareProgress> LoadProgress(PosixFile* file);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_PREPARE_PROGRESS_H_
