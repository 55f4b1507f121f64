#ifndef HYDRA_WORKER_DATA_CHAT_CHAT_RENDERER_H_
#define HYDRA_WORKER_DATA_CHAT_CHAT_RENDERER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/chat_template.h"
#include "worker/data/chat/line_process.h"
#include "worker/task/task_control.h"

namespace hydra {

// The Python that knows the distribution's python3-jinja2.
inline constexpr char kPython[] = "/usr/bin/python3";

// A conversation's text.
struct RenderedChat {
  std::string text;
  // The places [begin, end) of the assistant's answers in it, with what ends
  // each, in order; only where they were asked for.
  std::vector<std::pair<size_t, size_t>> answers;
};

// Makes texts of conversations with a Jinja template: the text that
// transformers' apply_chat_template makes. A template is a user's program, so
// it runs in a process of its own, which is limited (line_process.h), in
// jinja2's sandbox (render_chat.py).
//
// Where answers lie a template says with {% generation %}, as transformers'
// return_assistant_tokens_mask takes it. For one without it, an answer lies
// between the text of the messages before it, with add_generation_prompt, and
// the text of those up to it.
//
// Not thread-safe. Blocks, and tells `control` of it.
class ChatRenderer {
 public:
  // FAILED_PRECONDITION: there is no Python with jinja2; the message says what
  //   to install.
  // INVALID_ARGUMENT: the template is none, with its line.
  // Others: as LineProcess.
  static absl::StatusOr<std::unique_ptr<ChatRenderer>> Start(
      const ChatTemplate& chat_template, TaskControl& control,
      const LineProcess::Limits& limits = {},
      const std::string& python = kPython);

  // `messages`: a JSON array in one line, see chat_row.h.
  //
  // INVALID_ARGUMENT: the template fails for it, takes too long or too much
  //   memory, or answers cannot be told apart. The message names the template
  //   and its line. Others: as LineProcess.
  absl::StatusOr<RenderedChat> Render(absl::string_view messages,
                                      bool wants_answers, TaskControl& control);

 private:
  ChatRenderer(std::string name, std::unique_ptr<LineProcess> process)
      : name_(std::move(name)), process_(std::move(process)) {}

  const std::string name_;
  const std::unique_ptr<LineProcess> process_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_CHAT_CHAT_RENDERER_H_
