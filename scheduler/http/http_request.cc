#include "scheduler/http/http_request.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

int HexDigit(char c) {
  if (!absl::ascii_isxdigit(c)) return -1;
  return absl::ascii_isdigit(c) ? c - '0' : absl::ascii_tolower(c) - 'a' + 10;
}

absl::StatusOr<std::string> Decode(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : HexDigit(text[i + 2]);
    if (low < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected two hexadecimal digits after each %, found ",
                       Quoted(text)));
    }
    decoded += static_cast<char>(high << 4 | low);
    i += 2;
  }
  if (Printable(decoded) != decoded) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected UTF-8 without control characters, found ", Quoted(decoded)));
  }
  return decoded;
}

absl::Status AddParameter(absl::string_view text, HttpRequest& request) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  absl::StatusOr<std::string> name = Decode(parts.first);
  if (!name.ok()) return name.status();
  absl::StatusOr<std::string> value = Decode(parts.second);
  if (!value.ok()) return value.status();
  if (request.query.size() == kMostParameters) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected at most ", kMostParameters, " parameters, found more"));
  }
  const auto [found, is_new] =
      request.query.emplace(*std::move(name), *std::move(value));
  if (is_new) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "expected each parameter once, found ", Quoted(found->first), " twice"));
}

}  // namespace

absl::StatusOr<HttpRequest> ParseHttpTarget(absl::string_view target) {
  if (target.size() > kMostTargetBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a target of at most ", kMostTargetBytes,
                     " bytes, found one of ", target.size()));
  }
  if (!absl::StartsWith(target, "/")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected a target that begins with /, found ", Quoted(target)));
  }
  const size_t mark = std::min(target.find('?'), target.size());
  absl::StatusOr<std::string> path = Decode(target.substr(0, mark));
  if (!path.ok()) return path.status();
  HttpRequest request;
  request.path = *std::move(path);
  absl::string_view query = target.substr(mark);
  absl::ConsumePrefix(&query, "?");
  for (absl::string_view parameter :
       absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const absl::Status added = AddParameter(parameter, request);
    if (!added.ok()) return added;
  }
  return request;
}

bool IsOwnHost(absl::string_view host) {
  // What is behind it would not be looked at.
  if (host.find('\0') != host.npos) return false;
  const size_t colon = host.rfind(':');
  if (colon != host.npos && !absl::EndsWith(host, "]")) {
    uint32_t port = 0;
    const absl::string_view digits = host.substr(colon + 1);
    if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
        !absl::SimpleAtoi(digits, &port) || port > 65535) {
      return false;
    }
    host = host.substr(0, colon);
  }
  if (absl::EqualsIgnoreCase(host, "localhost") || host == "[::1]") return true;
  in_addr address;
  if (inet_pton(AF_INET, std::string(host).c_str(), &address) != 1) {
    return false;
  }
  return ntohl(address.s_addr) >> 24 == 127;
}

absl::StatusOr<int64_t> IntegerParameter(const HttpRequest& request,
                                         absl::string_view name,
                                         int64_t otherwise, int64_t least,
                                         int64_t most) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return otherwise;
  int64_t value = 0;
  if (!absl::SimpleAtoi(found->second, &value) || value < least ||
      value > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": expected a whole number from ", least, " to ",
                     most, ", found ", Quoted(found->second)));
  }
  return value;
}

std::string TextParameter(const HttpRequest& request, absl::string_view name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

}  // namespace hydra
