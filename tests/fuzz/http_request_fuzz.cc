// The input is the target of an HTTP request, and after a line end a Host
// header.

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/text/printable.h"
#include "glog/logging.h"
#include "scheduler/http/http_request.h"
#include "tests/fuzz/fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('\n', 1));
  if (hydra::IsOwnHost(parts.second)) {
    // No letter but these leads to another machine.
    CHECK(parts.second.find_first_not_of("localhstLOCALHST0123456789.:[]") ==
          absl::string_view::npos)
        << parts.second;
  }
  const auto request = hydra::ParseHttpTarget(parts.first);
  hydra::CheckSpeaksPlainly(request.status());
  if (!request.ok()) return 0;
  CHECK(request->path[0] == '/') << request->path;
  CHECK_EQ(hydra::Printable(request->path), request->path);
  CHECK_LE(request->query.size(), hydra::kMostParameters);
  for (const auto& [name, value] : request->query) {
    CHECK_EQ(hydra::Printable(name), name);
    CHECK_EQ(hydra::Printable(value), value);
    const auto number = hydra::IntegerParameter(*request, name, 0, -100, 100);
    hydra::CheckSpeaksPlainly(number.status());
    if (number.ok()) CHECK(*number >= -100 && *number <= 100) << *number;
  }
  return 0;
}
