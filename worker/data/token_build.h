#ifndef HYDRA_WORKER_DATA_TOKEN_BUILD_H_
#define HYDRA_WORKER_DATA_TOKEN_BUILD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/file/file_access.h"
#include "common/tokenizer/tokenizer.h"
#include "hydra/v1/job.pb.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_source.h"
#include "worker/task/task_control.h"

namespace hydra {

// What a token file is made of.
struct TokenBuild {
  struct File {
    std::string path;
    std::string sha256;  // Of the content, raw bytes.
  };
  std::vector<File> files;
  // They must lie where it says.
  FileAccess access;
  hydra::v1::DataFormat format = hydra::v1::DATA_FORMAT_TEXT;
  // Of text and rows; must outlive the call.
  const Tokenizer* tokenizer = nullptr;
  // Of jsonl, see TokenReading.
  std::string text_field = {};
  // Progress is saved after so many bytes of the data files, and what was
  // written by then. A text of so many bytes takes some seconds.
  int64_t save_bytes = int64_t{128} << 20;
};

// Makes the token file in `file`, going on where an earlier call for the same
// build ended, if `progress` tells of it and what it tells of is there. The
// bytes are those of a call that was never interrupted. Both files are open for
// reading and writing, stand at their starts, and are this caller's alone.
//
// Returns the number of tokens that were there before.
//
// FAILED_PRECONDITION: a data file is not the one that the build names.
// ABORTED: `control` says so, which is told of every piece that is read. Other
// errors: as ReadTokens, OpenInputFile, and from the file system. After any,
// another call may go on.
absl::StatusOr<int64_t> BuildTokens(const TokenBuild& build, PosixFile* file,
                                    PosixFile* progress, TaskControl& control);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TOKEN_BUILD_H_
