#include "client/connection/ssh_address.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace hydra {
namespace {

// /usr/bin/hydra may be another program where there is a hydractl.
constexpr char kRemoteScript[] =
    "command -v hydractl >/dev/null && exec hydractl proxy \"$@\"; "
    "exec hydra proxy \"$@\"";

absl::Status Wrong(absl::string_view address) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", address,
                   "\" is no address; expected ssh://[user@]host[:port]"
                   "[/path/to/hydrad.sock]"));
}

bool IsPort(absl::string_view text) {
  int32_t port = 0;
  return absl::SimpleAtoi(text, &port) && port > 0 && port < 65536 &&
         absl::ascii_isdigit(text.front());
}

// Of a host or a user: something that ssh does not take for an option.
bool IsName(absl::string_view text) {
  if (text.empty() || absl::StartsWith(text, "-")) return false;
  for (const char c : text) {
    if (!absl::ascii_isgraph(c)) return false;
  }
  return true;
}

// As one word of a shell's command line.
std::string ShellWord(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

}  // namespace

absl::StatusOr<SshAddress> ParseSshAddress(absl::string_view address) {
  absl::string_view rest = address;
  if (!absl::ConsumePrefix(&rest, kSshPrefix)) return Wrong(address);
  SshAddress parsed;
  if (const size_t slash = rest.find('/'); slash != rest.npos) {
    parsed.socket_path = std::string(rest.substr(slash));
    rest = rest.substr(0, slash);
    if (parsed.socket_path == "/") parsed.socket_path.clear();
  }
  if (const size_t at = rest.rfind('@'); at != rest.npos) {
    parsed.user = std::string(rest.substr(0, at));
    if (!IsName(parsed.user)) return Wrong(address);
    rest = rest.substr(at + 1);
  }
  // Behind the bracket of an IPv6 address, or the only one.
  const size_t bracket = rest.find(']');
  const size_t colon = rest.find(':', bracket == rest.npos ? 0 : bracket);
  if (colon != rest.npos) {
    parsed.port = std::string(rest.substr(colon + 1));
    if (!IsPort(parsed.port)) return Wrong(address);
    rest = rest.substr(0, colon);
  }
  if (absl::StartsWith(rest, "[") != absl::EndsWith(rest, "]")) {
    return Wrong(address);
  }
  if (absl::ConsumePrefix(&rest, "[")) absl::ConsumeSuffix(&rest, "]");
  parsed.host = std::string(rest);
  if (!IsName(parsed.host)) return Wrong(address);
  return parsed;
}

std::vector<std::string> SshCommand(const SshAddress& address) {
  std::vector<std::string> command = {"ssh", "-T"};
  if (!address.port.empty()) {
    command.insert(command.end(), {"-p", address.port});
  }
  if (!address.user.empty()) {
    command.insert(command.end(), {"-l", address.user});
  }
  // The shell there, whichever it is, splits it again.
  std::string remote =
      absl::StrCat("sh -c ", ShellWord(kRemoteScript), " hydra");
  if (!address.socket_path.empty()) {
    absl::StrAppend(&remote, " --server ",
                    ShellWord(absl::StrCat("unix:", address.socket_path)));
  }
  command.insert(command.end(), {"--", address.host, remote});
  return command;
}

}  // namespace hydra
