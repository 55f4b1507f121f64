#include "common/jobfile/path_kind.h"

#include <array>
#include <cstddef>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

// Ids that have no organisation before them.
constexpr std::array<absl::string_view, 5> kBareHubIds = {
    "gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2"};

bool IsUrl(absl::string_view value) {
  const size_t end = value.find("://");
  if (end == value.npos || end == 0 || !absl::ascii_isalpha(value[0])) {
    return false;
  }
  return absl::c_all_of(value.substr(0, end), [](char c) {
    return absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.';
  });
}

bool IsWindows(absl::string_view value) {
  if (absl::StartsWith(value, "\\\\")) return true;
  return value.size() > 2 && absl::ascii_isalpha(value[0]) && value[1] == ':' &&
         (value[2] == '\\' || value[2] == '/');
}

// Whether a variable of a shell begins at `position`.
bool IsVariableAt(absl::string_view value, size_t position) {
  if (position + 1 >= value.size() || value[position] != '$') return false;
  const char next = value[position + 1];
  return next == '{' || next == '_' || absl::ascii_isalpha(next);
}

bool HasVariable(absl::string_view value) {
  for (size_t i = 0; i < value.size(); ++i) {
    if (IsVariableAt(value, i)) return true;
  }
  return false;
}

bool IsHubName(absl::string_view name) {
  if (name.empty() || !absl::ascii_isalnum(name[0])) return false;
  return absl::c_all_of(name, [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

bool IsHubId(absl::string_view value) {
  if (absl::c_linear_search(kBareHubIds, value)) return true;
  const size_t slash = value.find('/');
  return slash != value.npos && IsHubName(value.substr(0, slash)) &&
         IsHubName(value.substr(slash + 1));
}

}  // namespace

PathKind KindOfPath(absl::string_view value, bool is_model) {
  if (absl::StartsWith(value, "~")) return PathKind::kHome;
  if (IsVariableAt(value, 0)) return PathKind::kVariable;
  if (IsUrl(value)) return PathKind::kUrl;
  if (IsWindows(value)) return PathKind::kWindows;
  if (value.find_first_of("*?[") != value.npos) return PathKind::kPattern;
  if (HasVariable(value)) return PathKind::kInnerVariable;
  if (is_model && IsHubId(value)) return PathKind::kHubId;
  return PathKind::kPath;
}

bool IsNoPath(PathKind kind) {
  return kind == PathKind::kHome || kind == PathKind::kVariable ||
         kind == PathKind::kUrl || kind == PathKind::kWindows;
}

std::string PathRemedy(PathKind kind, absl::string_view value) {
  switch (kind) {
    case PathKind::kPath:
      return "";
    case PathKind::kHome:
      return "'~' is not expanded, write the directory out";
    case PathKind::kVariable:
    case PathKind::kInnerVariable:
      return "variables are not expanded; write the value out, or let the "
             "shell "
             "do it: envsubst < job.yaml | hydra submit -";
    case PathKind::kUrl:
      if (absl::StartsWithIgnoreCase(value, "file://")) {
        return "this is a URL; write the path alone";
      }
      return "URLs are not fetched; copy it to the server and write the file's "
             "path";
    case PathKind::kWindows:
      return "this is a path of Windows; the server is Linux, so copy the file "
             "there and write its path with '/'";
    case PathKind::kPattern:
      return "patterns are not expanded; write out each file";
    case PathKind::kHubId:
      return absl::StrCat(
          "if that is a model of the Hugging Face hub, download it "
          "(huggingface-cli download ",
          value, " --local-dir DIR) and write the directory");
  }
  return "";
}

}  // namespace hydra
