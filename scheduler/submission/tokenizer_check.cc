#include "scheduler/submission/tokenizer_check.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/tokenizer/tokenizer.h"
#include "scheduler/storage/tokenizer_files.h"
#include "scheduler/submission/user_file.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr char kField[] = "model.tokenizer_path";

}  // namespace

TokenizerCheck::Finding TokenizerCheck::Look(const std::string& directory,
                                             bool is_for_text) const {
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
  if (!is_for_text || !finding.mistakes.empty()) return finding;
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
  } else {
    finding.mistakes.push_back(std::string(tokenizer.status().message()));
  }
  return finding;
}

void TokenizerCheck::Check(const v1::JobSpec& spec,
                           std::optional<int64_t> vocabulary_size,
                           Mistakes* mistakes,
                           std::vector<std::string>* warnings) {
  const std::string& directory = spec.model().tokenizer_path();
  const bool is_for_rows = spec.data().format() == v1::DATA_FORMAT_JSONL;
  const bool is_for_text =
      is_for_rows || spec.data().format() == v1::DATA_FORMAT_TEXT;
  const auto [entry, is_new] = seen_.try_emplace({directory, is_for_text});
  if (is_new) entry->second = Look(directory, is_for_text);
  const Finding& finding = entry->second;
  for (const std::string& mistake : finding.mistakes) {
    AddMistake(kField, mistake, mistakes);
  }
  if (is_for_rows && finding.size > 0) {
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
}

}  // namespace hydra
