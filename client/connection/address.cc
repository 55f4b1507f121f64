#include "client/connection/address.h"

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hydra {
namespace {

constexpr absl::string_view kUnixPrefix = "unix:";

absl::StatusOr<std::string> ParseAddress(absl::string_view text,
                                         absl::string_view origin) {
  if (absl::StartsWith(text, "/")) return absl::StrCat(kUnixPrefix, text);
  if (absl::StartsWith(text, kUnixPrefix) && text.size() > kUnixPrefix.size()) {
    return std::string(text);
  }
  const size_t colon = text.rfind(':');
  int32_t port = 0;
  if (colon != absl::string_view::npos && colon > 0 &&
      absl::SimpleAtoi(text.substr(colon + 1), &port) && port > 0 &&
      port < 65536) {
    return std::string(text);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(origin, " is \"", text,
                   "\"; expected unix:/path/to/hydrad.sock or host:port"));
}

std::vector<std::string> UsualSockets(const GetEnv& getenv) {
  std::vector<std::string> paths;
  if (const auto runtime = getenv("XDG_RUNTIME_DIR"); runtime.has_value()) {
    paths.push_back(absl::StrCat(*runtime, "/hydrad.sock"));
  }
  paths.push_back("/run/hydra/hydrad.sock");
  if (const auto home = getenv("HOME"); home.has_value()) {
    paths.push_back(absl::StrCat(*home, "/.local/state/hydra/hydrad.sock"));
  }
  return paths;
}

}  // namespace

absl::StatusOr<std::string> ResolveServer(
    absl::string_view flag, const GetEnv& getenv,
    const std::function<bool(const std::string& path)>& exists) {
  if (!flag.empty()) return ParseAddress(flag, "--server");
  const std::optional<std::string> variable = getenv("HYDRA_SERVER");
  if (variable.has_value() && !variable->empty()) {
    return ParseAddress(*variable, "$HYDRA_SERVER");
  }
  const std::vector<std::string> paths = UsualSockets(getenv);
  for (const std::string& path : paths) {
    if (exists(path)) return absl::StrCat(kUnixPrefix, path);
  }
  return absl::UnavailableError(absl::StrCat(
      "found no hydrad: --server and $HYDRA_SERVER are not set, and none of "
      "these sockets exists: ",
      absl::StrJoin(paths, ", "),
      ". Start hydrad, or train without one: hydra run FILE"));
}

}  // namespace hydra
