#include "common/jobfile/import_adapters.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/jobfile/import_value.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Fate = ImportedKey::Fate;
using Kind = YamlNode::Kind;

constexpr char kModules[] = "lora.target_modules";

// PEFT takes other texts for regular expressions.
bool IsModuleName(absl::string_view text) {
  return !text.empty() && absl::c_all_of(text, [](char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
  });
}

}  // namespace

bool IsOfAdapters(absl::string_view key) {
  return absl::StartsWith(key, "lora_") || absl::StartsWith(key, "loraplus_") ||
         absl::StartsWith(key, "peft_") || key == "use_rslora" ||
         key == "use_dora";
}

void TakeModules(const ImportLedger::Key& key, const YamlNode& node,
                 ImportLedger* ledger) {
  std::vector<std::string> names;
  if (node.kind == Kind::kScalar) {
    names = absl::StrSplit(node.text, ',');
  } else if (node.kind == Kind::kSequence) {
    for (const YamlNode& item : node.items) names.push_back(item.text);
  }
  // Of lora_target_linear.
  if (names.size() == 1 && WithoutSynonyms(names.front()) == "false") {
    return ledger->Tell(Fate::kLeftOut, key, "target_modules says it");
  }
  for (std::string& name : names) {
    absl::StripAsciiWhitespace(&name);
    if (name == "all" || WithoutSynonyms(name) == "true") name = "all-linear";
    if (IsModuleName(name)) continue;
    return ledger->Refuse(
        kModules, key,
        absl::StrCat("found ", Shown(node),
                     "; target_modules are names of modules, such as q_proj, "
                     "or all-linear"));
  }
  const std::vector<std::string> all = {"all-linear"};
  const std::vector<std::string> before = ledger->TextsOf(kModules);
  // All of them are these, too.
  ledger->Give(kModules, key, before == all ? before : names,
               Quoted(absl::StrJoin(names, ", ")));
}

void AssumeAlpha(ImportLedger* ledger) {
  int64_t rank = 0;
  if (!absl::SimpleAtoi(ledger->FirstOf("lora.r"), &rank)) return;
  ledger->Set("lora.lora_alpha", {"lora_alpha", 0}, absl::StrCat(2 * rank),
              "twice the rank");
}

}  // namespace hydra
