#ifndef HYDRA_WORKER_DATA_CHAT_CHAT_ROW_H_
#define HYDRA_WORKER_DATA_CHAT_CHAT_ROW_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// The conversation of a row of JSON Lines, as a JSON array of messages with
// `role` and `content`, which templates take. Pure.
//
// Of DATA_FORMAT_CHAT a row has `messages`, with `role` and `content`, or
// `conversations`, with `from` (human, user, gpt, assistant or system) and
// `value`, and with these maybe a `system`. Whatever else a message has goes
// along. Of DATA_FORMAT_INSTRUCTION it has `instruction`, `output`, and maybe
// `input`, which follows the instruction in a line of its own, `system` and
// `history`, pairs of an instruction and its answer. Other fields may hold
// anything.
//
// `needs_answer`: something in the row must be the assistant's.
//
// INVALID_ARGUMENT: it is no such row; an answer is empty; or it has tools,
//   which are not known yet. The message names the field, and does not say
//   where the row stands.
absl::StatusOr<std::string> MessagesOfRow(absl::string_view row,
                                          hydra::v1::DataFormat format,
                                          bool needs_answer);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_CHAT_CHAT_ROW_H_
