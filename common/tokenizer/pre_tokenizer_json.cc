#include "common/tokenizer/pre_tokenizer_json.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/text/code_points.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

struct KnownPattern {
  absl::string_view regex;
  SplitPattern pattern;
};
constexpr KnownPattern kKnownPatterns[] = {
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
     SplitPattern::kGpt2},
    {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
     SplitPattern::kGpt2},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     SplitPattern::kLlama3},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     SplitPattern::kQwen2},
};

class Reader {
 public:
  absl::Status Add(const JsonSection& step) {
    if (made_.is_byte_level) {
      return step.Wrong(absl::StrCat("nothing behind ByteLevel is supported; ",
                                     kTokenizeYourself));
    }
    const std::string type = step.Type();
    if (type == "ByteLevel") return AddByteLevel(step);
    if (type == "Split") return AddSplit(step);
    if (type == "Digits") return AddDigits(step);
    if (type == "Metaspace") return AddMetaspace(step);
    if (type == "BertPreTokenizer") {
      Push(PreTokenizerKind::kBert);
      return absl::OkStatus();
    }
    return step.Wrong(absl::StrCat(
        "ByteLevel, Split, Digits, Metaspace and BertPreTokenizer are "
        "supported; ",
        kTokenizeYourself));
  }

  PreTokenizer Take() { return std::move(made_); }

 private:
  void Push(PreTokenizerKind kind) { made_.steps.push_back({kind}); }

  absl::Status AddByteLevel(const JsonSection& step) {
    const absl::StatusOr<bool> prefix = step.Bool("add_prefix_space", true);
    if (!prefix.ok()) return prefix.status();
    const absl::StatusOr<bool> regex = step.Bool("use_regex", true);
    if (!regex.ok()) return regex.status();
    if (made_.Has(PreTokenizerKind::kMarkSpaces) ||
        made_.Has(PreTokenizerKind::kBert)) {
      return step.Wrong(
          absl::StrCat("it is not supported behind Metaspace and "
                       "BertPreTokenizer; ",
                       kTokenizeYourself));
    }
    if (*prefix) Push(PreTokenizerKind::kPrefixSpace);
    if (*regex) Push(PreTokenizerKind::kPattern);
    if (!made_.Has(PreTokenizerKind::kPattern)) {
      return step.Wrong("use_regex", false,
                        absl::StrCat("without a Split before it only true is "
                                     "supported; ",
                                     kTokenizeYourself));
    }
    made_.is_byte_level = true;
    return absl::OkStatus();
  }

  absl::Status AddSplit(const JsonSection& step) {
    absl::Status plain = step.MayBe("behavior", "Isolated");
    plain.Update(step.MayBe("invert", false));
    if (!plain.ok()) return plain;
    const absl::StatusOr<JsonSection> pattern = step.Inside("pattern");
    if (!pattern.ok()) return pattern.status();
    const absl::StatusOr<std::string> regex = pattern->Text("Regex", "");
    if (!regex.ok()) return regex.status();
    for (const KnownPattern& known : kKnownPatterns) {
      if (*regex != known.regex) continue;
      made_.steps.push_back({PreTokenizerKind::kPattern, known.pattern});
      return absl::OkStatus();
    }
    const Json* found = pattern->Find("Regex");
    return step.Wrong(
        "pattern.Regex", found == nullptr ? Json() : *found,
        absl::StrCat("the patterns of GPT-2, Llama 3 and Qwen2 are supported; ",
                     kTokenizeYourself));
  }

  absl::Status AddDigits(const JsonSection& step) {
    const absl::StatusOr<bool> individual =
        step.Bool("individual_digits", false);
    if (!individual.ok()) return individual.status();
    Push(*individual ? PreTokenizerKind::kDigits
                     : PreTokenizerKind::kDigitRuns);
    return absl::OkStatus();
  }

  absl::Status AddMetaspace(const JsonSection& step) {
    const absl::StatusOr<std::string> marker =
        step.Text("replacement", "\u2581");
    if (!marker.ok()) return marker.status();
    const absl::StatusOr<bool> split = step.Bool("split", true);
    if (!split.ok()) return split.status();
    // As files have it that are older than prepend_scheme.
    const absl::StatusOr<bool> prefix = step.Bool("add_prefix_space", true);
    if (!prefix.ok()) return prefix.status();
    const absl::StatusOr<std::string> scheme =
        step.Text("prepend_scheme", *prefix ? "always" : "never");
    if (!scheme.ok()) return scheme.status();
    size_t at = 0;
    if (!marker->empty()) NextCodePoint(*marker, &at);
    if (at != marker->size() || at == 0 || *marker == " ") {
      return step.Wrong("replacement", *marker,
                        "one character that is no space is needed");
    }
    if (made_.Has(PreTokenizerKind::kMarkSpaces)) {
      return step.Wrong(
          absl::StrCat("one Metaspace is supported; ", kTokenizeYourself));
    }
    const char32_t mark = FirstCodePoint(*marker);
    const auto push = [&](PreTokenizerKind kind) {
      made_.steps.push_back({kind, SplitPattern::kGpt2, mark});
    };
    push(PreTokenizerKind::kMarkSpaces);
    if (*scheme == "always") {
      push(PreTokenizerKind::kPrefixMarker);
    } else if (*scheme == "first") {
      push(PreTokenizerKind::kPrefixFirstMarker);
    } else if (*scheme != "never") {
      return step.Wrong("prepend_scheme", *scheme,
                        "always, first or never is needed");
    }
    if (*split) push(PreTokenizerKind::kSplitAtMarkers);
    return absl::OkStatus();
  }

  PreTokenizer made_;
};

}  // namespace

bool PreTokenizer::Has(PreTokenizerKind kind) const {
  return std::any_of(
      steps.begin(), steps.end(),
      [kind](const PreTokenizerStep& step) { return step.kind == kind; });
}

absl::StatusOr<PreTokenizer> PreTokenizerOf(const JsonSection& tokenizer) {
  if (tokenizer.Find("pre_tokenizer") == nullptr) return PreTokenizer();
  const absl::StatusOr<JsonSection> section = tokenizer.Inside("pre_tokenizer");
  if (!section.ok()) return section.status();
  Reader reader;
  const absl::Status read = section->ForEachStep(
      "pretokenizers",
      [&](const JsonSection& step) { return reader.Add(step); });
  if (!read.ok()) return read;
  return reader.Take();
}

}  // namespace hydra
