#ifndef HYDRA_COMMON_TOKENIZER_CHAT_TEMPLATE_H_
#define HYDRA_COMMON_TOKENIZER_CHAT_TEMPLATE_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/tokenizer/tokenizer.h"

namespace hydra {

// What makes the text of a conversation: a Jinja template, and what it knows
// beside the conversation.
struct ChatTemplate {
  // What errors call it, say its path.
  std::string name;
  std::string text;
  // bos_token, eos_token and others that the tokenizer names, with their texts.
  std::map<std::string, std::string> variables;
  // It came with the tokenizer.
  bool is_tokenizers = false;
  // What strftime_now takes for now: the beginning of this day, "2026-11-30".
  // Empty: when the process that renders began.
  std::string day;
};

// Whether what it renders is another text on another day.
bool DependsOnDay(const ChatTemplate& chat_template);

// A longer one is refused.
inline constexpr int64_t kMaxTemplateBytes = int64_t{1} << 20;

// The template of a tokenizer's files, as transformers finds it:
// chat_template.jinja, else `chat_template` of tokenizer_config.json, a text or
// a list of named ones, of which "default" counts. Nothing: there is none.
//
// INVALID_ARGUMENT: what should be a template is none, or there are named ones
//   without a "default". The message names the file.
absl::StatusOr<std::optional<TokenizerFile>> FindChatTemplate(
    const TokenizerFiles& files);

// The prompt that Stanford's Alpaca began with, as LLaMA-Factory's `alpaca` has
// it: for instruction rows where nobody gives a template.
TokenizerFile AlpacaTemplate();

// The special tokens that the files name, as the variables of a template.
// `tokenizer` is what ParseTokenizer made of them.
//
// INVALID_ARGUMENT: a file is no JSON.
absl::StatusOr<std::map<std::string, std::string>> SpecialTokensOf(
    const TokenizerFiles& files, const Tokenizer& tokenizer);

// The template that a job's rows are rendered with. `given` is what
// data.chat_template names, if it names one. `or_alpaca`: AlpacaTemplate is
// one, where there is no other.
//
// INVALID_ARGUMENT: as FindChatTemplate and SpecialTokensOf; there is no
//   template; it is no UTF-8 or far too long; or Alpaca's has no eos_token to
//   end answers with.
absl::StatusOr<ChatTemplate> ChatTemplateOf(
    const TokenizerFiles& files, const Tokenizer& tokenizer,
    const std::optional<TokenizerFile>& given, bool or_alpaca);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_CHAT_TEMPLATE_H_
