#include "scheduler/submission/data_check.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/data/data_format.h"
#include "common/file/file_format.h"
#include "common/gzip/gunzip.h"
#include "common/text/printable.h"
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

// Of the text of a packed file that begins with `head`.
absl::StatusOr<std::string> UnpackedHead(const std::string& path,
                                         absl::string_view head) {
  Gunzip gunzip;
  std::string text(kFormatHeadBytes, '\0');
  const auto unpacked = gunzip.Unpack(head, absl::MakeSpan(text));
  if (!unpacked.ok()) {
    return absl::Status(unpacked.status().code(),
                        absl::StrCat(path, ": ", unpacked.status().message()));
  }
  text.resize(unpacked->made);
  return text;
}

// Of a file that should be JSON Lines, as far as its first row's begin tells;
// empty: none.
std::string MistakeOfRows(const std::string& path, absl::string_view head) {
  absl::ConsumePrefix(&head, "\xef\xbb\xbf");
  head = absl::StripLeadingAsciiWhitespace(head);
  if (head.empty() || head.front() == '{') return "";
  return absl::StrCat(path, " is no JSON Lines: it begins with ",
                      Quoted(WholeCharacters(head, 4)),
                      ", and each line must be an object, {...}");
}

// Of what should be a folder of pictures, as far as it is one; empty: none.
std::string MistakeOfFolder(const std::string& path, const PathPolicy& paths) {
  const absl::Status status = paths.CheckReadableDirectory(path);
  return absl::StrCat(status.message(),
                      absl::IsInvalidArgument(status)
                          ? "; data.format images takes folders, with a folder "
                            "of pictures for each class in them"
                          : "");
}

// Of a file that should be safetensors, as far as its begin tells; empty: none.
std::string MistakeOfTensors(const std::string& path, absl::string_view head) {
  const FileFormat* const found = RecogniseFormat(head);
  if (found != nullptr && found->name == kSafetensorsName) return "";
  return absl::StrCat(
      path, " is no safetensors file",
      found == nullptr ? "" : absl::StrCat(" but ", Describe(*found)));
}

}  // namespace

const DataCheck::Finding& DataCheck::Look(const std::string& path,
                                          v1::DataFormat format,
                                          const std::string& field) {
  const auto [entry, is_new] = seen_.try_emplace({path, format});
  Finding& finding = entry->second;
  if (!is_new) return finding;
  finding.field = field;
  if (IsImages(format)) {
    finding.mistake = MistakeOfFolder(path, paths_);
    return finding;
  }
  const bool is_json_lines = IsJsonLines(format);
  const bool is_text = IsTokenized(format);
  absl::StatusOr<std::string> head = HeadOf(path, paths_);
  const bool is_packed = head.ok() && IsGzip(*head);
  if (is_text && is_packed) head = UnpackedHead(path, *head);
  if (!head.ok()) {
    finding.mistake = std::string(head.status().message());
    return finding;
  }
  if (IsTensors(format)) {
    finding.mistake = MistakeOfTensors(path, *head);
    return finding;
  }
  const FileFormat* found = RecogniseFormat(*head);
  if (found != nullptr && !(is_text && found->is_text)) {
    const bool is_certain = found->signature_bytes >= kCertainBytes ||
                            (is_packed && absl::EndsWith(path, ".gz"));
    if (is_text || is_certain) {
      finding.mistake = absl::StrCat(
          path, is_text ? " is no text but " : " has no ids but is ",
          Describe(*found));
    }
  } else if (is_json_lines) {
    finding.mistake = MistakeOfRows(path, *head);
  } else if (found != nullptr && !IsRows(format)) {
    finding.warning =
        absl::StrCat(path, " is ", found->name,
                     ", and is trained on as it stands, markup included",
                     found->name == kJsonName
                         ? "; data.format: jsonl trains on a field of each row"
                         : "");
  }
  return finding;
}

void DataCheck::Check(const v1::DataSpec& data, Mistakes* mistakes,
                      std::vector<std::string>* warnings) {
  const auto check = [&](absl::string_view split, const auto& files) {
    for (int i = 0; i < files.size(); ++i) {
      const std::string field = absl::StrCat(split, "[", i, "]");
      if (HasMistake(*mistakes, field)) continue;
      const Finding& finding = Look(files[i], data.format(), field);
      if (!finding.mistake.empty() && finding.field == field) {
        AddMistake(field, finding.mistake, mistakes);
      }
      if (!finding.warning.empty()) warnings->push_back(finding.warning);
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
