#include "scheduler/submission/data_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file/file_format.h"
#include "scheduler/submission/user_file.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// Fewer bytes may stand at the front of token ids by chance.
constexpr int kCertainBytes = 6;

absl::StatusOr<std::string> HeadOf(const std::string& path,
                                   const PathPolicy& paths) {
  const absl::StatusOr<UniqueFd> fd = OpenUserFile(path, paths);
  if (!fd.ok()) return fd.status();
  return ReadHead(*fd, path);
}

}  // namespace

const DataCheck::Finding& DataCheck::Look(const std::string& path, bool is_text,
                                          const std::string& field) {
  const auto [entry, is_new] = seen_.try_emplace({path, is_text});
  Finding& finding = entry->second;
  if (!is_new) return finding;
  finding.field = field;
  const absl::StatusOr<std::string> head = HeadOf(path, paths_);
  if (!head.ok()) {
    finding.mistake = std::string(head.status().message());
    return finding;
  }
  const FileFormat* format = RecogniseFormat(*head);
  if (format == nullptr) return finding;
  if (is_text && format->is_text) {
    finding.warning =
        absl::StrCat(path, " is ", format->name,
                     ", and is trained on as it stands, markup included");
  } else if (is_text || format->signature_bytes >= kCertainBytes) {
    finding.mistake =
        absl::StrCat(path, is_text ? " is no text but " : " has no ids but is ",
                     Describe(*format));
  }
  return finding;
}

void DataCheck::Check(const v1::DataSpec& data, Mistakes* mistakes,
                      std::vector<std::string>* warnings) {
  const bool is_jsonl = data.format() == v1::DATA_FORMAT_JSONL;
  const bool is_text = is_jsonl || data.format() == v1::DATA_FORMAT_TEXT;
  const auto check = [&](absl::string_view split, const auto& files) {
    for (int i = 0; i < files.size(); ++i) {
      const std::string field = absl::StrCat(split, "[", i, "]");
      if (HasMistake(*mistakes, field)) continue;
      const Finding& finding = Look(files[i], is_text, field);
      if (!finding.mistake.empty() && finding.field == field) {
        AddMistake(field, finding.mistake, mistakes);
      }
      // Of rows the text alone is trained on.
      if (!finding.warning.empty() && !is_jsonl) {
        warnings->push_back(finding.warning);
      }
    }
  };
  check("data.train_files", data.train_files());
  check("data.validation_files", data.validation_files());
  check("data.test_files", data.test_files());
}

bool HasMistake(const Mistakes& mistakes, absl::string_view field) {
  return std::any_of(
      mistakes.begin(), mistakes.end(),
      [&](const Mistake& mistake) { return mistake.field() == field; });
}

}  // namespace hydra
