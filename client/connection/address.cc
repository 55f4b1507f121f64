#include "client/connection/address.h"

#include <sys/un.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/connection/ssh_address.h"

namespace hydra {
namespace {

constexpr absl::string_view kUnixPrefix = "unix:";

// The kernel's limit, without the final NUL.
constexpr size_t kMaxSocketPathBytes = sizeof(sockaddr_un::sun_path) - 1;

absl::StatusOr<std::string> UnixAddress(absl::string_view path,
                                        absl::string_view origin) {
  if (path.size() > kMaxSocketPathBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(origin, " is a socket's path of ", path.size(),
                     " bytes; at most ", kMaxSocketPathBytes,
                     " are possible. Use a shorter one, such as a "
                     "link in /tmp to its folder: ",
                     path));
  }
  return absl::StrCat(kUnixPrefix, path);
}

absl::StatusOr<std::string> ParseAddress(absl::string_view text,
                                         absl::string_view origin) {
  if (absl::StartsWith(text, "/")) return UnixAddress(text, origin);
  if (absl::StartsWith(text, kSshPrefix)) {
    const absl::Status parsed = ParseSshAddress(text).status();
    if (parsed.ok()) return std::string(text);
    return absl::InvalidArgumentError(
        absl::StrCat(origin, ": ", parsed.message()));
  }
  absl::string_view path = text;
  if (absl::ConsumePrefix(&path, kUnixPrefix) && !path.empty()) {
    return UnixAddress(path, origin);
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
                   "\"; expected unix:/path/to/hydrad.sock, "
                   "ssh://[user@]host[:port][/path] or host:port"));
}

// Whether it stands for itself in the path of a URI.
bool IsPlainInUri(char c) {
  return absl::ascii_isalnum(c) || absl::StrContains("/-._~", c);
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

std::string GrpcTarget(absl::string_view address) {
  if (!absl::ConsumePrefix(&address, kUnixPrefix)) return std::string(address);
  std::string target(kUnixPrefix);
  for (const char c : address) {
    if (IsPlainInUri(c)) {
      target.push_back(c);
    } else {
      absl::StrAppend(&target, "%",
                      absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
    }
  }
  return target;
}

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
