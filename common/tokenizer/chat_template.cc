#include "common/tokenizer/chat_template.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/text/utf8.h"
#include "common/tokenizer/tokenizer_json.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

constexpr char kKey[] = "chat_template";
constexpr char kDefault[] = "default";
constexpr const char* kSpecialTokens[] = {"bos_token", "eos_token", "unk_token",
                                          "sep_token", "pad_token", "cls_token",
                                          "mask_token"};

constexpr char kAlpaca[] =
    R"({{- bos_token if bos_token is defined else '' -}}
{%- if messages[0].role == 'system' -%}
    {{- messages[0].content -}}
{%- else -%}
    {{- 'Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n' -}}
{%- endif -%}
{%- for message in messages -%}
    {%- if message.role == 'user' -%}
        {{- '### Instruction:\n' + message.content + '\n\n### Response:\n' -}}
    {%- elif message.role == 'assistant' -%}
        {%- generation -%}
            {{- message.content + eos_token + '\n\n' -}}
        {%- endgeneration -%}
    {%- endif -%}
{%- endfor -%}
)";

absl::StatusOr<Json> ParseIfThere(const std::optional<TokenizerFile>& file) {
  if (!file.has_value()) return Json::object();
  return ParseTokenizerFile(file->text, file->name);
}

// Of a list of named templates.
absl::StatusOr<std::optional<TokenizerFile>> DefaultOf(
    const Json& templates, const std::string& name) {
  std::string names;
  for (const Json& named : templates) {
    if (!named.is_object() || !named.contains("name") ||
        !named.contains("template") || !named["name"].is_string() ||
        !named["template"].is_string()) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": expected a list of a name and a template each"));
    }
    if (named["name"] == kDefault) {
      return TokenizerFile{absl::StrCat(name, " (", kDefault, ")"),
                           named["template"].get<std::string>()};
    }
    absl::StrAppend(&names, names.empty() ? "" : ", ",
                    named["name"].get<std::string>());
  }
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": of the templates that it has (", names,
                   ") none is the default; data.chat_template may name a file "
                   "with the one that is meant"));
}

// What `config`, which goes first, or `map` calls the token; empty: nothing.
std::string TokenText(const Json& config, const Json& map, const char* key) {
  for (const Json* json : {&config, &map}) {
    auto token = json->find(key);
    if (token == json->end()) continue;
    const Json& value = token->is_object() && token->contains("content")
                            ? (*token)["content"]
                            : *token;
    return value.is_string() ? value.get<std::string>() : "";
  }
  return "";
}

absl::Status CheckTemplate(const TokenizerFile& file) {
  if (static_cast<int64_t>(file.text.size()) > kMaxTemplateBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.name, " has ", file.text.size(), " bytes, at most ",
                     kMaxTemplateBytes, " are allowed for a template"));
  }
  std::string repaired;
  if (RepairUtf8(file.text, &repaired) != file.text) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.name, " is no template: it is no UTF-8"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<TokenizerFile>> FindChatTemplate(
    const TokenizerFiles& files) {
  if (files.chat_template_jinja.has_value()) return files.chat_template_jinja;
  const absl::StatusOr<Json> config = ParseIfThere(files.tokenizer_config_json);
  if (!config.ok()) return config.status();
  const auto found = config->find(kKey);
  if (found == config->end() || found->is_null()) return std::nullopt;
  const std::string name =
      absl::StrCat(files.tokenizer_config_json->name, ": ", kKey);
  if (found->is_string()) {
    return TokenizerFile{name, found->get<std::string>()};
  }
  if (found->is_array()) return DefaultOf(*found, name);
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": expected a text or a list of named templates"));
}

TokenizerFile AlpacaTemplate() { return {"Alpaca's prompt", kAlpaca}; }

absl::StatusOr<std::map<std::string, std::string>> SpecialTokensOf(
    const TokenizerFiles& files, const Tokenizer& tokenizer) {
  const absl::StatusOr<Json> config = ParseIfThere(files.tokenizer_config_json);
  if (!config.ok()) return config.status();
  const absl::StatusOr<Json> map = ParseIfThere(files.special_tokens_map_json);
  if (!map.ok()) return map.status();
  std::map<std::string, std::string> tokens;
  for (const char* key : kSpecialTokens) {
    std::string text = TokenText(*config, *map, key);
    if (!text.empty()) tokens.emplace(key, std::move(text));
  }
  // A GPT-2's has one that stands for three, and need not be named.
  if (tokens.count("eos_token") != 0 || !tokenizer.end_of_text_id.has_value()) {
    return tokens;
  }
  for (const AddedToken& added : tokenizer.added) {
    if (added.id != *tokenizer.end_of_text_id) continue;
    for (const char* key : {"bos_token", "eos_token", "unk_token"}) {
      tokens.emplace(key, added.text);
    }
  }
  return tokens;
}

absl::StatusOr<ChatTemplate> ChatTemplateOf(
    const TokenizerFiles& files, const Tokenizer& tokenizer,
    const std::optional<TokenizerFile>& given, bool or_alpaca) {
  std::optional<TokenizerFile> file = given;
  const bool is_given = given.has_value();
  if (!is_given) {
    auto found = FindChatTemplate(files);
    if (!found.ok()) return found.status();
    file = *std::move(found);
  }
  const bool is_alpaca = !file.has_value();
  if (is_alpaca && !or_alpaca) {
    return absl::InvalidArgumentError(
        "the tokenizer has no chat template: neither chat_template.jinja nor "
        "chat_template in tokenizer_config.json; data.chat_template may name "
        "a file with one");
  }
  if (is_alpaca) file = AlpacaTemplate();
  if (absl::Status checked = CheckTemplate(*file); !checked.ok()) {
    return checked;
  }
  auto variables = SpecialTokensOf(files, tokenizer);
  if (!variables.ok()) return variables.status();
  if (is_alpaca && variables->count("eos_token") == 0) {
    return absl::InvalidArgumentError(
        "the tokenizer names no eos_token, which ends answers where it has no "
        "chat template; tokenizer_config.json may name one");
  }
  return ChatTemplate{std::move(file->name), std::move(file->text),
                      *std::move(variables), !is_given && !is_alpaca};
}

bool DependsOnDay(const ChatTemplate& chat_template) {
  return absl::StrContains(chat_template.text, "strftime_now");
}

}  // namespace hydra
