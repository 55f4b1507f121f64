#ifndef HYDRA_WORKER_DATA_CHAT_CHAT_BUILD_H_
#define HYDRA_WORKER_DATA_CHAT_CHAT_BUILD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/tokenizer/chat_template.h"
#include "common/tokenizer/tokenizer.h"
#include "hydra/v1/job.pb.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_build.h"
#include "worker/task/task_control.h"

namespace hydra {

// How conversations become tokens.
struct ChatOptions {
  ChatTemplate chat_template;
  // All of a row is trained on; else the assistant's answers are.
  bool train_on_prompt = false;
  // Rows follow each other as one long row of tokens. Else each is a sequence
  // of its own, of which `context_length` tokens are kept.
  bool packing = false;
  int64_t context_length = 0;
};

// Makes a token file with marks (token_header.h) in `file` of the rows of a
// build whose format is one of conversations. A token is trained on if it lies,
// in part at least, in what is; as transformers' return_assistant_tokens_mask
// has it. A row of which no token would be is left out, and counted. `file` is
// open for writing.
//
// Unlike BuildTokens it begins anew after an interruption: what a template
// makes may depend on the day (strftime_now), and one file is of one day.
//
// INVALID_ARGUMENT: a row as MessagesOfRow or ChatRenderer::Render refuses it,
//   named by file and line; no row has anything to train on.
// FAILED_PRECONDITION: a data file is not the one that the build names; there
// is
//   no Python with jinja2.
// ABORTED: `control` says so. Others: as ChatRenderer, OpenInputFile, and from
// the file system.
absl::Status BuildConversations(const TokenBuild& build,
                                const ChatOptions& options, PosixFile* file,
                                TaskControl& control);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_CHAT_CHAT_BUILD_H_
