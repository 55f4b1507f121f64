#include "common/tokenizer/normalizer_json.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/text/code_points.h"

namespace hydra {
namespace {

struct PlainStep {
  const char* type;
  NormalizerKind kind;
};
constexpr PlainStep kPlainSteps[] = {
    {"NFC", NormalizerKind::kNfc},
    {"NFD", NormalizerKind::kNfd},
    {"NFKC", NormalizerKind::kNfkc},
    {"NFKD", NormalizerKind::kNfkd},
    {"Lowercase", NormalizerKind::kLowercase},
    {"StripAccents", NormalizerKind::kStripMarks},
};

bool IsOneCharacter(const std::string& pattern) {
  size_t at = 0;
  NextCodePoint(pattern, &at);
  return at == pattern.size();
}

bool ShareACharacter(const std::string& a, const std::string& b) {
  for (size_t at = 0; at < a.size();) {
    const size_t begin = at;
    NextCodePoint(a, &at);
    if (b.find(a.substr(begin, at - begin)) != b.npos) return true;
  }
  return false;
}

class Reader {
 public:
  absl::Status Add(const JsonSection& step) {
    const std::string type = step.Type();
    for (const PlainStep& plain : kPlainSteps) {
      if (type != plain.type) continue;
      steps_.push_back({plain.kind});
      return absl::OkStatus();
    }
    if (type == "Prepend") return AddPrepend(step);
    if (type == "Replace") return AddReplace(step);
    if (type == "BertNormalizer") return AddBert(step);
    return step.Wrong(
        absl::StrCat("NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Prepend, "
                     "Replace and BertNormalizer are supported; ",
                     kTokenizeYourself));
  }

  std::vector<NormalizerStep> Take() { return std::move(steps_); }

 private:
  absl::Status AddPrepend(const JsonSection& step) {
    absl::StatusOr<std::string> content = step.Text("prepend", "");
    if (!content.ok()) return content.status();
    steps_.push_back({NormalizerKind::kPrepend, "", *std::move(content)});
    return absl::OkStatus();
  }

  absl::Status AddReplace(const JsonSection& step) {
    absl::StatusOr<JsonSection> pattern = step.Inside("pattern");
    if (!pattern.ok()) return pattern.status();
    absl::StatusOr<std::string> text = pattern->Text("String", "");
    if (!text.ok()) return text.status();
    absl::StatusOr<std::string> content = step.Text("content", "");
    if (!content.ok()) return content.status();
    if (text->empty()) {
      return pattern->Wrong(absl::StrCat(
          "only \"String\", a text, is supported; ", kTokenizeYourself));
    }
    if (!IsOneCharacter(*text) && DependsOnMore(*text)) {
      return pattern->Wrong(
          "String", *text,
          absl::StrCat("one character, or several without white space and "
                       "without what an earlier Replace puts in, are "
                       "supported; ",
                       kTokenizeYourself));
    }
    steps_.push_back(
        {NormalizerKind::kReplace, *std::move(text), *std::move(content)});
    return absl::OkStatus();
  }

  bool DependsOnMore(const std::string& pattern) const {
    for (const char c : pattern) {
      if (absl::ascii_isspace(c)) return true;
    }
    for (const NormalizerStep& step : steps_) {
      if (step.kind == NormalizerKind::kReplace &&
          ShareACharacter(pattern, step.content)) {
        return true;
      }
    }
    return false;
  }

  absl::Status AddBert(const JsonSection& step) {
    const absl::StatusOr<bool> clean = step.Bool("clean_text", true);
    if (!clean.ok()) return clean.status();
    const absl::StatusOr<bool> chinese =
        step.Bool("handle_chinese_chars", true);
    if (!chinese.ok()) return chinese.status();
    const absl::StatusOr<bool> lower = step.Bool("lowercase", true);
    if (!lower.ok()) return lower.status();
    const absl::StatusOr<bool> strip = step.Bool("strip_accents", *lower);
    if (!strip.ok()) return strip.status();
    if (*clean) steps_.push_back({NormalizerKind::kBertClean});
    if (*chinese) steps_.push_back({NormalizerKind::kBertChinese});
    if (*strip) {
      steps_.push_back({NormalizerKind::kNfd});
      steps_.push_back({NormalizerKind::kBertAccents});
    }
    if (*lower) steps_.push_back({NormalizerKind::kLowercase});
    return absl::OkStatus();
  }

  std::vector<NormalizerStep> steps_;
};

}  // namespace

absl::StatusOr<std::vector<NormalizerStep>> NormalizerOf(
    const JsonSection& tokenizer) {
  if (tokenizer.Find("normalizer") == nullptr) {
    return std::vector<NormalizerStep>();
  }
  const absl::StatusOr<JsonSection> section = tokenizer.Inside("normalizer");
  if (!section.ok()) return section.status();
  Reader reader;
  const absl::Status read = section->ForEachStep(
      "normalizers", [&](const JsonSection& step) { return reader.Add(step); });
  if (!read.ok()) return read;
  return reader.Take();
}

}  // namespace hydra
