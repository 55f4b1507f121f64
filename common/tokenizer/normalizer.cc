#include "common/tokenizer/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "common/text/code_points.h"
#include "common/tokenizer/unicode_classes.h"
#include "glog/logging.h"

namespace hydra {
namespace {

// A normalization form that leaves what came after Unicode 9 as it is.
class OldForm {
 public:
  explicit OldForm(const icu::Normalizer2* (*form)(UErrorCode&))
      : form_(Checked(form), Known()) {}

  void Apply(std::string* text) const {
    // All forms leave ASCII alone.
    if (std::all_of(text->begin(), text->end(), absl::ascii_isascii)) return;
    UErrorCode error = U_ZERO_ERROR;
    std::string normalized;
    icu::StringByteSink<std::string> sink(&normalized, text->size());
    form_.normalizeUTF8(0, *text, sink, nullptr, error);
    CHECK(U_SUCCESS(error)) << u_errorName(error);
    *text = std::move(normalized);
  }

 private:
  static const icu::Normalizer2& Checked(
      const icu::Normalizer2* (*form)(UErrorCode&)) {
    UErrorCode error = U_ZERO_ERROR;
    const icu::Normalizer2* found = form(error);
    CHECK(U_SUCCESS(error)) << u_errorName(error);
    return *found;
  }

  static const icu::UnicodeSet& Known() {
    static const icu::UnicodeSet& known = *[] {
      UErrorCode error = U_ZERO_ERROR;
      auto* set = new icu::UnicodeSet(u"[:age=9.0:]", error);
      CHECK(U_SUCCESS(error)) << u_errorName(error);
      set->freeze();
      return set;
    }();
    return known;
  }

  const icu::FilteredNormalizer2 form_;
};

void ApplyForm(NormalizerKind kind, std::string* text) {
  static const OldForm& nfc = *new OldForm(icu::Normalizer2::getNFCInstance);
  static const OldForm& nfd = *new OldForm(icu::Normalizer2::getNFDInstance);
  static const OldForm& nfkc = *new OldForm(icu::Normalizer2::getNFKCInstance);
  static const OldForm& nfkd = *new OldForm(icu::Normalizer2::getNFKDInstance);
  const OldForm& form = kind == NormalizerKind::kNfc    ? nfc
                        : kind == NormalizerKind::kNfd  ? nfd
                        : kind == NormalizerKind::kNfkc ? nfkc
                                                        : nfkd;
  form.Apply(text);
}

// Puts what `change` appends for each character in its place.
void ChangeEach(std::string* text,
                absl::FunctionRef<void(char32_t, std::string*)> change) {
  std::string changed;
  changed.reserve(text->size());
  for (size_t at = 0; at < text->size();) {
    change(NextCodePoint(*text, &at), &changed);
  }
  *text = std::move(changed);
}

void RemoveEach(std::string* text, bool (*is_removed)(char32_t)) {
  ChangeEach(text, [is_removed](char32_t c, std::string* changed) {
    if (!is_removed(c)) AppendCodePoint(c, changed);
  });
}

void Lower(char32_t c, std::string* changed) {
  constexpr char32_t kCapitalIWithDot = 0x130;
  constexpr char32_t kDotAbove = 0x307;
  AppendCodePoint(ToLowerCase(c), changed);
  if (c == kCapitalIWithDot) AppendCodePoint(kDotAbove, changed);
}

void Clean(char32_t c, std::string* changed) {
  if (c == 0 || c == 0xfffd || IsBertControl(c)) return;
  AppendCodePoint(IsWhiteSpace(c) ? U' ' : c, changed);
}

void SpaceOutChinese(char32_t c, std::string* changed) {
  const bool is_chinese = IsBertChinese(c);
  if (is_chinese) changed->push_back(' ');
  AppendCodePoint(c, changed);
  if (is_chinese) changed->push_back(' ');
}

void ApplyStep(const NormalizerStep& step, bool is_continued,
               std::string* text) {
  switch (step.kind) {
    case NormalizerKind::kNfc:
    case NormalizerKind::kNfd:
    case NormalizerKind::kNfkc:
    case NormalizerKind::kNfkd:
      return ApplyForm(step.kind, text);
    case NormalizerKind::kLowercase:
      return ChangeEach(text, Lower);
    case NormalizerKind::kStripMarks:
      return RemoveEach(text, IsCombiningMark);
    case NormalizerKind::kPrepend:
      if (!is_continued && !text->empty()) text->insert(0, step.content);
      return;
    case NormalizerKind::kReplace:
      absl::StrReplaceAll({{step.pattern, step.content}}, text);
      return;
    case NormalizerKind::kBertClean:
      return ChangeEach(text, Clean);
    case NormalizerKind::kBertChinese:
      return ChangeEach(text, SpaceOutChinese);
    case NormalizerKind::kBertAccents:
      return RemoveEach(text, IsBertAccent);
  }
}

}  // namespace

Normalizer::Normalizer(std::vector<NormalizerStep> steps)
    : steps_(std::move(steps)) {}

std::string Normalizer::Apply(absl::string_view text, bool is_continued) const {
  std::string normalized(text);
  for (const NormalizerStep& step : steps_) {
    ApplyStep(step, is_continued, &normalized);
  }
  return normalized;
}

}  // namespace hydra
