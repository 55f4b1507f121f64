#include "client/page/page_request.h"

#include <sys/random.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "glog/logging.h"

namespace hydra {
namespace {

constexpr size_t kSecretBytes = 16;

bool IsSame(absl::string_view a, absl::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= a[i] ^ b[i];
  return difference == 0;
}

}  // namespace

std::string MakeSecret() {
  std::string bytes(kSecretBytes, '\0');
  // So few come at once or not at all.
  PCHECK(getrandom(bytes.data(), bytes.size(), 0) ==
         static_cast<ssize_t>(bytes.size()));
  return absl::BytesToHexString(bytes);
}

std::optional<std::string> WithoutSecret(absl::string_view head,
                                         absl::string_view secret) {
  absl::string_view method = "GET ";
  absl::string_view rest = head;
  if (!absl::ConsumePrefix(&rest, method)) {
    method = "HEAD ";
    if (!absl::ConsumePrefix(&rest, method)) return std::nullopt;
  }
  if (!absl::ConsumePrefix(&rest, "/") || rest.size() <= secret.size() ||
      rest[secret.size()] != '/' ||
      !IsSame(rest.substr(0, secret.size()), secret)) {
    return std::nullopt;
  }
  return absl::StrCat(method, rest.substr(secret.size()));
}

}  // namespace hydra
