#include "common/jobfile/import_value.h"

#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/jobfile/yaml_to_proto.h"
#include "common/text/printable.h"

namespace hydra {

using Kind = YamlNode::Kind;

bool IsNothing(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return true;
    case Kind::kScalar:
      return node.text.empty();
    case Kind::kSequence:
      return node.items.empty();
    case Kind::kMap:
      return node.entries.empty();
  }
  return true;
}

std::string Shown(const YamlNode& node) {
  return node.kind == Kind::kScalar ? Quoted(node.text) : Found(node);
}

std::string WithoutSynonyms(absl::string_view text) {
  const std::string word = absl::AsciiStrToLower(text);
  if (word == "yes" || word == "on") return "true";
  if (word == "no" || word == "off") return "false";
  return word;
}

bool IsSame(absl::string_view word, absl::string_view other) {
  double a;
  double b;
  const bool are_numbers =
      absl::SimpleAtod(word, &a) && absl::SimpleAtod(other, &b);
  return are_numbers ? a == b : word == other;
}

bool IsOneOf(absl::string_view same, const YamlNode& value) {
  if (same.empty() || value.kind != Kind::kScalar) return false;
  const std::vector<absl::string_view> words = absl::StrSplit(same, '|');
  return absl::c_any_of(words, [&](absl::string_view word) {
    return IsSame(word, absl::AsciiStrToLower(value.text)) ||
           IsSame(word, WithoutSynonyms(value.text));
  });
}

}  // namespace hydra
