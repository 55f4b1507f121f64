#include "scheduler/service/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

constexpr size_t kFirstBufferBytes = 4096;
// Groups of some thousand members have entries of such sizes.
constexpr size_t kMostBufferBytes = size_t{16} << 20;
// Longer than any name of an account. Anybody's text comes here, and modules of
// nsswitch.conf should not have to stand it.
constexpr size_t kMostNameBytes = 256;

// Calls `find` (entry, buffer, bytes, result) with room enough for the answer.
// 0, or an errno; `take` gets the entry if there is one.
template <typename Entry, typename Find, typename Take>
int LookUp(Find find, Take take) {
  std::vector<char> buffer(kFirstBufferBytes);
  while (true) {
    Entry entry;
    Entry* result = nullptr;
    const int error = find(&entry, buffer.data(), buffer.size(), &result);
    if (error == EINTR) continue;
    if (error == ERANGE && buffer.size() < kMostBufferBytes) {
      buffer.resize(buffer.size() * 4);
      continue;
    }
    if (error == 0 && result != nullptr) take(*result);
    return error;
  }
}

// What these functions say of a name that there is not, beside 0.
bool MeansNone(int error) {
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF ||
         error == EPERM;
}

template <typename Id>
absl::StatusOr<Id> Found(const char* kind, const std::string& name,
                         const std::optional<Id>& id, int error) {
  if (id.has_value()) return *id;
  if (MeansNone(error)) {
    return absl::NotFoundError(
        absl::StrCat("there is no ", kind, " ", Quoted(name)));
  }
  return absl::UnavailableError(absl::StrCat("cannot look up the ", kind, " ",
                                             Quoted(name), ": ",
                                             std::strerror(error)));
}

// As the system's functions take one, which end it at a NUL.
bool MayBeAName(const std::string& text) {
  return text.size() <= kMostNameBytes && text.find('\0') == std::string::npos;
}

// None: it is no number that an account may have.
template <typename Id>
std::optional<Id> NumberOf(const std::string& text) {
  Id id = 0;
  if (text.empty() || !absl::ascii_isdigit(text[0]) ||
      !absl::SimpleAtoi(text, &id) || id == std::numeric_limits<Id>::max()) {
    return std::nullopt;
  }
  return id;
}

}  // namespace

absl::StatusOr<uid_t> FindUser(const std::string& name) {
  std::optional<uid_t> user;
  if (!MayBeAName(name)) return Found("user", name, user, /*error=*/0);
  const int error = LookUp<passwd>(
      [&](passwd* entry, char* buffer, size_t bytes, passwd** result) {
        return getpwnam_r(name.c_str(), entry, buffer, bytes, result);
      },
      [&](const passwd& entry) { user = entry.pw_uid; });
  if (!user.has_value()) user = NumberOf<uid_t>(name);
  return Found("user", name, user, error);
}

absl::StatusOr<gid_t> FindGroup(const std::string& name) {
  std::optional<gid_t> group;
  if (!MayBeAName(name)) return Found("group", name, group, /*error=*/0);
  const int error = LookUp<::group>(
      [&](::group* entry, char* buffer, size_t bytes, ::group** result) {
        return getgrnam_r(name.c_str(), entry, buffer, bytes, result);
      },
      [&](const ::group& entry) { group = entry.gr_gid; });
  if (!group.has_value()) group = NumberOf<gid_t>(name);
  return Found("group", name, group, error);
}

std::string NameOfUser(uid_t user) {
  std::string name;
  LookUp<passwd>(
      [&](passwd* entry, char* buffer, size_t bytes, passwd** result) {
        return getpwuid_r(user, entry, buffer, bytes, result);
      },
      [&](const passwd& entry) { name = Printable(entry.pw_name); });
  return name;
}

}  // namespace hydra
