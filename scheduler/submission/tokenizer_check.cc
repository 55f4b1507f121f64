#include "scheduler/submission/tokenizer_check.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/data/data_format.h"
#include "common/tokenizer/chat_template.h"
#include "common/tokenizer/tokenizer.h"
#include "scheduler/storage/tokenizer_files.h"
#include "scheduler/submission/data_check.h"
#include "scheduler/submission/user_file.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr char kField[] = "model.tokenizer_path";
constexpr char kTemplateField[] = "data.chat_template";

// Each job of a sweep has it among its records.
constexpr int64_t kMaxKeptTemplateBytes = int64_t{128} << 10;

}  // namespace

TokenizerCheck::Finding TokenizerCheck::Look(const Asked& asked) const {
  const std::string& directory = asked.directory;
  Finding finding;
  // They go along with the trained model, so all of them must be readable for
  // whoever submits.
  for (const char* name : kTokenizerFiles) {
    const absl::Status status =
        paths_.CheckReadableFile(absl::StrCat(directory, "/", name));
    if (!status.ok() && !absl::IsNotFound(status)) {
      finding.mistakes.push_back(std::string(status.message()));
    }
  }
  if (!IsTokenized(asked.format) || !finding.mistakes.empty()) return finding;
  TokenizerFiles files;
  for (const TokenizerFileName& file : kTokenizerFileNames) {
    const std::string path = absl::StrCat(directory, "/", file.name);
    absl::StatusOr<std::string> text =
        ReadUserFile(path, paths_, kMaxTokenizerFileBytes);
    if (absl::IsNotFound(text.status())) continue;
    if (!text.ok()) {
      finding.mistakes.push_back(std::string(text.status().message()));
      return finding;
    }
    files.*file.member = TokenizerFile{path, *std::move(text)};
  }
  if (!files.tokenizer_json.has_value() &&
      !(files.vocab_json.has_value() && files.merges_txt.has_value())) {
    finding.mistakes.push_back(absl::StrCat(
        directory,
        " has neither tokenizer.json nor vocab.json with merges.txt, which "
        "text needs; name a directory that has them (transformers' "
        "save_pretrained writes tokenizer.json), or data of token ids"));
    return finding;
  }
  const absl::StatusOr<Tokenizer> tokenizer = ParseTokenizer(files);
  if (tokenizer.ok()) {
    finding.size = tokenizer->size;
    finding.end_of_text_id = tokenizer->end_of_text_id;
    finding.has_cls_and_sep =
        tokenizer->cls_id.has_value() && tokenizer->sep_id.has_value();
    finding.has_mask = tokenizer->mask_id.has_value();
    finding.template_mistake =
        std::string(FindTemplate(asked, files, *tokenizer, finding).message());
  } else {
    finding.mistakes.push_back(std::string(tokenizer.status().message()));
  }
  return finding;
}

absl::Status TokenizerCheck::FindTemplate(const Asked& asked,
                                          const TokenizerFiles& files,
                                          const Tokenizer& tokenizer,
                                          Finding& finding) const {
  if (!IsConversations(asked.format)) return absl::OkStatus();
  std::optional<TokenizerFile> given;
  if (!asked.chat_template.empty()) {
    absl::StatusOr<std::string> text =
        ReadUserFile(asked.chat_template, paths_, kMaxKeptTemplateBytes);
    if (!text.ok()) return text.status();
    given = TokenizerFile{asked.chat_template, *std::move(text)};
  }
  const bool is_instruction = asked.format == v1::DATA_FORMAT_INSTRUCTION;
  auto found = ChatTemplateOf(files, tokenizer, given, is_instruction);
  if (!found.ok()) return found.status();
  if (!found->is_tokenizers) finding.chat_template = std::move(found->text);
  return absl::OkStatus();
}

Shared<std::string> TokenizerCheck::Check(
    const v1::JobSpec& spec, std::optional<int64_t> vocabulary_size,
    Objective objective, Mistakes* mistakes,
    std::vector<std::string>* warnings) {
  const std::string& directory = spec.model().tokenizer_path();
  const v1::DataFormat format = spec.data().format();
  // Of those who do not look at it.
  const std::string chat_template =
      IsConversations(format) ? spec.data().chat_template() : "";
  const auto [entry, is_new] =
      seen_.try_emplace({directory, format, chat_template});
  if (is_new) entry->second = Look(entry->first);
  const Finding& finding = entry->second;
  for (const std::string& mistake : finding.mistakes) {
    AddMistake(kField, mistake, mistakes);
  }
  if (!finding.template_mistake.empty() &&
      !HasMistake(*mistakes, kTemplateField)) {
    AddMistake(kTemplateField, finding.template_mistake, mistakes);
  }
  const bool is_whole = objective != Objective::kNextToken;
  if (is_whole && finding.size > 0 && !finding.has_cls_and_sep) {
    AddMistake(kField, absl::StrCat(directory, " ", kHasNoClsOrSep), mistakes);
  }
  if (objective == Objective::kMaskedTokens && finding.size > 0 &&
      !finding.has_mask) {
    AddMistake(kField, absl::StrCat(directory, " ", kHasNoMask), mistakes);
  }
  if (format == v1::DATA_FORMAT_JSONL && finding.size > 0 && !is_whole) {
    const std::optional<uint32_t>& end = finding.end_of_text_id;
    if (!end.has_value()) {
      AddMistake(kField, absl::StrCat(directory, " ", kHasNoEndOfText),
                 mistakes);
    } else if (vocabulary_size.has_value() && *end >= *vocabulary_size) {
      AddMistake(kField,
                 absl::StrCat(directory,
                              ": eos_token, which is put behind the "
                              "text of each row, has id ",
                              *end, ", and the model's vocab_size is ",
                              *vocabulary_size),
                 mistakes);
    }
  }
  if (vocabulary_size.has_value() && finding.size > *vocabulary_size) {
    warnings->push_back(absl::StrCat(
        directory, ": the tokenizer has ids up to ", finding.size - 1,
        ", the model's vocab_size is ", *vocabulary_size,
        "; text with a token beyond it fails the job"));
  }
  return finding.chat_template;
}

}  // namespace hydra
