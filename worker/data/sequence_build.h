#ifndef HYDRA_WORKER_DATA_SEQUENCE_BUILD_H_
#define HYDRA_WORKER_DATA_SEQUENCE_BUILD_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "common/data/padded_context.h"
#include "worker/data/labeled_rows.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_build.h"
#include "worker/task/task_control.h"

namespace hydra {

// How data become sequences that a model takes whole: cls_token, the tokens of
// a text, sep_token, and for a second text its tokens and another sep_token.
struct SequenceOptions {
  // The most tokens of a sequence, these included.
  int64_t context_length = 0;
  // Each row is one, with its class; a longer one is cut, the longer of its
  // texts first. Without it, sequences are cut out of the row of all tokens,
  // one behind the other, and only the last one may be shorter.
  std::optional<LabeledReading> labeled;
};

// Makes a token file of whole rows (token_header.h) in `file`, which is open
// for writing, of the data of a build. Begins anew after an interruption. Rows
// without any text are left out.
//
// INVALID_ARGUMENT: as ReadLabeledRows, or ReadTokens; a context_length below
//   kLeastSequence; the tokenizer names not all of the tokens above, or
//   mask_token, or has an id beyond those of any model; no row has a text.
// FAILED_PRECONDITION: a data file is not the one that the build names.
// ABORTED: `control` says so. Others: as OpenInputFile, and from the file
// system.
absl::Status BuildSequences(const TokenBuild& build,
                            const SequenceOptions& options, PosixFile* file,
                            TaskControl& control);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_SEQUENCE_BUILD_H_
