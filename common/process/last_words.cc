#include "common/process/last_words.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hydra {
namespace {

constexpr int64_t kTailBytes = 8 << 10;
constexpr size_t kMostLines = 3;
constexpr size_t kMostBytes = 600;

// As glog's handler of signals and its FATAL lines have them.
bool IsOfAStackTrace(absl::string_view line) {
  return absl::StartsWith(line, "*** ") || absl::StartsWith(line, "@ ") ||
         absl::StartsWith(line, "PC: ");
}

}  // namespace

ErrorText::ErrorText()
    : fd_(memfd_create("hydra-worker-stderr", MFD_CLOEXEC)) {}

std::string ErrorText::Tail() const {
  struct stat info = {};
  if (!fd_.is_open() || fstat(fd_.get(), &info) != 0) return "";
  const int64_t bytes = std::min<int64_t>(info.st_size, kTailBytes);
  std::string tail(bytes, '\0');
  const ssize_t got =
      pread(fd_.get(), tail.data(), tail.size(), info.st_size - bytes);
  tail.resize(std::max<ssize_t>(0, got));
  return tail;
}

std::string LastWords(absl::string_view tail) {
  std::vector<absl::string_view> words;
  for (absl::string_view line : absl::StrSplit(tail, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty() && !IsOfAStackTrace(line)) words.push_back(line);
  }
  if (words.size() > kMostLines)
    words.erase(words.begin(), words.end() - kMostLines);
  std::string text = absl::StrJoin(words, " | ");
  if (text.size() > kMostBytes) text.resize(kMostBytes);
  // It goes into messages of protobuf, which are UTF-8.
  for (char& c : text) {
    if (absl::ascii_iscntrl(c) || !absl::ascii_isascii(c)) c = '?';
  }
  return text;
}

}  // namespace hydra
