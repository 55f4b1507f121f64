#include "worker/data/chat/chat_row.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/text/printable.h"
#include "worker/data/row_check.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// Keeps the order of keys, which templates may show.
using Json = nlohmann::ordered_json;

constexpr absl::string_view kChatFields[] = {
    "messages", "conversations", "system", "tools", "chat_template_kwargs"};
constexpr absl::string_view kInstructionFields[] = {
    "instruction", "input", "output", "system", "history"};

constexpr char kUser[] = "user";
constexpr char kAssistant[] = "assistant";
constexpr char kSystem[] = "system";

struct Speaker {
  absl::string_view from;
  absl::string_view role;
};
constexpr Speaker kSpeakers[] = {{"human", kUser},
                                 {"user", kUser},
                                 {"gpt", kAssistant},
                                 {"assistant", kAssistant},
                                 {"system", kSystem}};

template <typename... What>
absl::Status Wrong(const What&... what) {
  return absl::InvalidArgumentError(absl::StrCat(what...));
}

// Those fields of a row that was checked. The others take no memory.
Json FieldsOf(absl::string_view row, absl::Span<const absl::string_view> kept) {
  const auto keep = [kept](int depth, Json::parse_event_t event, Json& value) {
    return depth != 1 || event != Json::parse_event_t::key ||
           absl::c_linear_search(kept, value.get_ref<const std::string&>());
  };
  return Json::parse(row.begin(), row.end(), keep);
}

// Null: it is not there, or null.
const Json* Find(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

absl::string_view TypeOf(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_string()) return "a text";
  if (value.is_boolean()) return "a boolean";
  return value.is_null() ? "null" : "a number";
}

// The text of a field that may be missing; empty then.
absl::StatusOr<std::string> TextOr(const Json& object, const char* key,
                                   absl::string_view where) {
  const Json* const found = Find(object, key);
  if (found == nullptr) return "";
  if (!found->is_string()) {
    return Wrong(where, key, ": expected a text, found ", TypeOf(*found));
  }
  return found->get<std::string>();
}

absl::StatusOr<std::string> Text(const Json& object, const char* key,
                                 absl::string_view where) {
  if (Find(object, key) == nullptr) {
    return Wrong(where, key, ": expected a text, found ",
                 object.contains(key) ? "null" : "no such field");
  }
  return TextOr(object, key, where);
}

bool IsBlank(absl::string_view text) {
  return absl::StripAsciiWhitespace(text).empty();
}

Json Message(absl::string_view role, std::string content) {
  return {{"role", std::string(role)}, {"content", std::move(content)}};
}

absl::StatusOr<std::string> RoleOf(const Json& message,
                                   absl::string_view where) {
  if (message.contains("role") || !message.contains("from")) {
    return Text(message, "role", where);
  }
  const absl::StatusOr<std::string> from = Text(message, "from", where);
  if (!from.ok()) return from;
  for (const Speaker& speaker : kSpeakers) {
    if (speaker.from == *from) return std::string(speaker.role);
  }
  return Wrong(where, "from: expected one of human, user, gpt, assistant, ",
               "system, found ", Quoted(*from));
}

// Whether there is something of this name: not only an empty place for it, as
// files have it whose rows all have the same names.
bool Has(const Json& object, const char* key) {
  const Json* const found = Find(object, key);
  return found != nullptr && !found->empty() && *found != "" && *found != "[]";
}

// A message as templates know it. `where` ends with ".".
absl::StatusOr<Json> ToMessage(const Json& given, absl::string_view where) {
  if (!given.is_object()) {
    return Wrong(where.substr(0, where.size() - 1),
                 ": expected an object, found ", TypeOf(given));
  }
  const absl::StatusOr<std::string> role = RoleOf(given, where);
  if (!role.ok()) return role.status();
  const bool has_tools = Has(given, "tool_calls") ||
                         Has(given, "function_call") || *role == "tool" ||
                         *role == "function";
  if (const Json* const weight = Find(given, "weight");
      weight != nullptr && *weight == 0) {
    return Wrong(where,
                 "weight: an answer that is not trained on is not known "
                 "yet; leave the row out, or the conversation before it");
  }
  if (has_tools) {
    return Wrong(where.substr(0, where.size() - 1),
                 ": calls a tool, or is a tool's, which is not known yet");
  }
  const bool is_shared = !given.contains("content") && given.contains("value");
  const char* const key = is_shared ? "value" : "content";
  absl::StatusOr<std::string> content = Text(given, key, where);
  if (!content.ok()) return content.status();
  if (*role == kAssistant && IsBlank(*content)) {
    return Wrong(where, key, ": found an empty answer");
  }
  Json message = Message(*role, *std::move(content));
  for (const auto& [name, value] : given.items()) {
    if (name != "role" && name != "from" && name != key) message[name] = value;
  }
  return message;
}

absl::StatusOr<Json> ChatMessages(const Json& row,
                                  const RowCheck<Json>& check) {
  for (const char* key : {"tools", "chat_template_kwargs"}) {
    if (!Has(row, key)) continue;
    return Wrong("has ", Quoted(key), ", which is not known yet");
  }
  const Json* const messages = Find(row, "messages");
  const Json* const shared = Find(row, "conversations");
  if (messages == nullptr && shared == nullptr) {
    return Wrong("has neither 'messages' nor 'conversations'; it has ",
                 check.Keys());
  }
  if (messages != nullptr && shared != nullptr) {
    return Wrong("has both 'messages' and 'conversations'");
  }
  if (messages != nullptr && Has(row, "system")) {
    return Wrong(
        "has 'system' beside 'messages': make it their first one, of "
        "the role system");
  }
  const absl::string_view name =
      messages != nullptr ? "messages" : "conversations";
  const Json& list = messages != nullptr ? *messages : *shared;
  if (!list.is_array() || list.empty()) {
    return Wrong(name, ": expected a list of messages, found ",
                 list.is_array() ? "an empty one" : TypeOf(list));
  }
  Json made = Json::array();
  for (size_t i = 0; i < list.size(); ++i) {
    absl::StatusOr<Json> message =
        ToMessage(list[i], absl::StrCat(name, "[", i, "]."));
    if (!message.ok()) return message;
    made.push_back(*std::move(message));
  }
  if (messages != nullptr) return made;
  absl::StatusOr<std::string> system = TextOr(row, "system", "");
  if (!system.ok()) return system.status();
  if (!system->empty() && made[0]["role"] == kSystem) {
    return Wrong("has 'system' and a conversation that begins with another");
  }
  if (!system->empty()) {
    made.insert(made.begin(), Message(kSystem, *std::move(system)));
  }
  return made;
}

// Adds a question and its answer.
absl::Status AddTurn(std::string question, std::string answer,
                     absl::string_view where, Json& messages) {
  if (IsBlank(answer)) return Wrong(where, ": found an empty answer");
  messages.push_back(Message(kUser, std::move(question)));
  messages.push_back(Message(kAssistant, std::move(answer)));
  return absl::OkStatus();
}

absl::Status AddHistory(const Json& history, Json& messages) {
  if (!history.is_array()) {
    return Wrong("history: expected a list of pairs, found ", TypeOf(history));
  }
  for (size_t i = 0; i < history.size(); ++i) {
    const Json& pair = history[i];
    const std::string where = absl::StrCat("history[", i, "]");
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() ||
        !pair[1].is_string()) {
      return Wrong(where, ": expected an instruction and its answer");
    }
    absl::Status added =
        AddTurn(pair[0].get<std::string>(), pair[1].get<std::string>(),
                absl::StrCat(where, "[1]"), messages);
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

absl::StatusOr<Json> InstructionMessages(const Json& row,
                                         const RowCheck<Json>& check) {
  if (!row.contains("instruction") || !row.contains("output")) {
    return Wrong("has no ",
                 row.contains("output") ? "'instruction'" : "'output'",
                 "; it has ", check.Keys());
  }
  std::vector<std::string> question;
  for (const char* key : {"instruction", "input"}) {
    absl::StatusOr<std::string> text = TextOr(row, key, "");
    if (!text.ok()) return text.status();
    if (!text->empty()) question.push_back(*std::move(text));
  }
  if (question.empty()) return Wrong("instruction: found an empty one");
  absl::StatusOr<std::string> output = Text(row, "output", "");
  if (!output.ok()) return output.status();
  absl::StatusOr<std::string> system = TextOr(row, "system", "");
  if (!system.ok()) return system.status();
  Json messages = Json::array();
  if (!system->empty())
    messages.push_back(Message(kSystem, *std::move(system)));
  if (const Json* const history = Find(row, "history"); history != nullptr) {
    absl::Status added = AddHistory(*history, messages);
    if (!added.ok()) return added;
  }
  absl::Status added = AddTurn(absl::StrJoin(question, "\n"),
                               *std::move(output), "output", messages);
  if (!added.ok()) return added;
  return messages;
}

}  // namespace

absl::StatusOr<std::string> MessagesOfRow(absl::string_view row,
                                          v1::DataFormat format,
                                          bool needs_answer) {
  RowCheck<Json> check;
  if (!Json::sax_parse(row.begin(), row.end(), &check)) {
    return Wrong(check.mistake());
  }
  const bool is_chat = format == v1::DATA_FORMAT_CHAT;
  const absl::StatusOr<Json> messages =
      is_chat ? ChatMessages(FieldsOf(row, kChatFields), check)
              : InstructionMessages(FieldsOf(row, kInstructionFields), check);
  if (!messages.ok()) return messages.status();
  const auto is_answer = [](const Json& message) {
    return message["role"] == kAssistant;
  };
  if (needs_answer && absl::c_none_of(*messages, is_answer)) {
    return Wrong("has no answer: none of its messages is the assistant's");
  }
  return messages->dump();
}

}  // namespace hydra
