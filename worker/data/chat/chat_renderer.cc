#include "worker/data/chat/chat_renderer.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

constexpr char kProgram[] =
#include "worker/data/chat/render_chat.inc"
    ;

constexpr char kNotInstalled[] = "jinja2 is not installed";

absl::Status NeedsPython(const std::string& python) {
  return absl::FailedPreconditionError(absl::StrCat(
      "chat templates need ", python,
      " with jinja2, which the worker did not find: install python3-jinja2 "
      "(the distribution's package, with python3)"));
}

// An answer of the program that tells of a mistake, as a status.
absl::Status MistakeOf(const Json& answer, const std::string& name) {
  const auto line = answer.find("line");
  return absl::InvalidArgumentError(absl::StrCat(
      name, line == answer.end() ? "" : absl::StrCat(": line ", line->dump()),
      ": ", answer.at("error").get_ref<const std::string&>()));
}

// What was the matter with the process, where a template runs in it. Who ended
// it is not known: another try may go well.
absl::Status WithName(const absl::Status& status, const std::string& name) {
  const std::string what =
      absl::StrCat(name, ": the template ", status.message());
  if (absl::IsResourceExhausted(status))
    return absl::InvalidArgumentError(what);
  if (absl::IsUnavailable(status)) return absl::UnavailableError(what);
  return status;
}

absl::StatusOr<Json> ParseAnswer(const std::string& line) {
  Json answer = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (answer.is_object()) return answer;
  return absl::InternalError("the renderer of chat templates answers no JSON");
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChatRenderer>> ChatRenderer::Start(
    const ChatTemplate& chat_template, TaskControl& control,
    const LineProcess::Limits& limits, const std::string& python) {
  auto process =
      LineProcess::Start({python, "-I", "-B", "-c", kProgram}, limits);
  if (!process.ok()) return process.status();
  const Json asked = {{"template", chat_template.text},
                      {"variables", chat_template.variables},
                      {"day", chat_template.day}};
  const auto line = (*process)->Ask(asked.dump(), control);
  if (absl::IsNotFound(line.status())) return NeedsPython(python);
  if (!line.ok()) return WithName(line.status(), chat_template.name);
  const absl::StatusOr<Json> answer = ParseAnswer(*line);
  if (!answer.ok()) return answer.status();
  if (answer->contains("error")) {
    return answer->at("error") == kNotInstalled
               ? NeedsPython(python)
               : MistakeOf(*answer, chat_template.name);
  }
  return std::unique_ptr<ChatRenderer>(
      new ChatRenderer(chat_template.name, *std::move(process)));
}

absl::StatusOr<RenderedChat> ChatRenderer::Render(absl::string_view messages,
                                                  bool wants_answers,
                                                  TaskControl& control) {
  // It is JSON already.
  const auto line = process_->Ask(
      absl::StrCat("{\"messages\":", messages,
                   ",\"marks\":", wants_answers ? "true" : "false", "}"),
      control);
  if (!line.ok()) return WithName(line.status(), name_);
  const absl::StatusOr<Json> answer = ParseAnswer(*line);
  if (!answer.ok()) return answer.status();
  if (answer->contains("error")) return MistakeOf(*answer, name_);
  RenderedChat chat;
  chat.text = answer->at("text").get<std::string>();
  for (const Json& place : answer->at("answers")) {
    chat.answers.emplace_back(place[0].get<size_t>(), place[1].get<size_t>());
  }
  return chat;
}

}  // namespace hydra
