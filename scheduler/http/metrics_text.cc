#include "scheduler/http/metrics_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "glog/logging.h"

namespace hydra {
namespace {

bool IsName(absl::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

// The fewest digits that are this number and no other.
std::string Written(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> digits;
  char* const begin = digits.data();
  char* const end = begin + digits.size();
  // 0.0001 and 1700000000.25, not 1e-04 and 1.70000000025e+09.
  const auto written =
      std::abs(value) < 1
          ? std::to_chars(begin, end, value, std::chars_format::general)
          : std::to_chars(begin, end, value);
  return std::string(begin, written.ptr);
}

}  // namespace

void MetricsText::Begin(absl::string_view name, absl::string_view type,
                        absl::string_view help) {
  CHECK(IsName(name)) << name;
  CHECK(std::find(families_.begin(), families_.end(), name) == families_.end())
      << name;
  CHECK_EQ(type == "counter", absl::EndsWith(name, "_total")) << name;
  family_ = std::string(name);
  families_.push_back(family_);
  absl::StrAppend(&text_, "# HELP ", name, " ",
                  absl::StrReplaceAll(help, {{"\\", "\\\\"}, {"\n", "\\n"}}),
                  "\n# TYPE ", name, " ", type, "\n");
}

void MetricsText::Line(absl::string_view name, const Labels& labels,
                       absl::string_view value) {
  CHECK(!families_.empty());
  absl::StrAppend(&text_, name);
  absl::string_view before = "{";
  for (const auto& [label, content] : labels) {
    CHECK(IsName(label)) << label;
    absl::StrAppend(
        &text_, before, label, "=\"",
        absl::StrReplaceAll(content,
                            {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
        "\"");
    before = ",";
  }
  absl::StrAppend(&text_, labels.empty() ? "" : "}", " ", value, "\n");
}

void MetricsText::Gauge(absl::string_view name, absl::string_view help) {
  Begin(name, "gauge", help);
}

void MetricsText::Counter(absl::string_view name, absl::string_view help) {
  Begin(name, "counter", help);
}

void MetricsText::Sample(const Labels& labels, double value) {
  Line(family_, labels, Written(value));
}

void MetricsText::Sample(const Labels& labels, int64_t value) {
  Line(family_, labels, absl::StrCat(value));
}

void MetricsText::WholeHistogram(absl::string_view name, absl::string_view help,
                                 const Histogram& histogram) {
  Begin(name, "histogram", help);
  const std::string bucket = absl::StrCat(name, "_bucket");
  int64_t up_to = 0;
  for (size_t i = 0; i < histogram.bounds().size(); ++i) {
    up_to += histogram.counts()[i];
    Line(bucket, {{"le", Written(histogram.bounds()[i])}}, absl::StrCat(up_to));
  }
  up_to += histogram.counts().back();
  Line(bucket, {{"le", "+Inf"}}, absl::StrCat(up_to));
  Line(absl::StrCat(name, "_sum"), {}, Written(histogram.sum()));
  Line(absl::StrCat(name, "_count"), {}, absl::StrCat(up_to));
}

}  // namespace hydra
