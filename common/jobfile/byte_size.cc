#include "common/jobfile/byte_size.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/mistakes.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

struct Unit {
  absl::string_view name;
  int64_t bytes;
};

constexpr Unit kUnits[] = {
    {"", 1},
    {"B", 1},
    {"KiB", int64_t{1} << 10},
    {"MiB", int64_t{1} << 20},
    {"GiB", int64_t{1} << 30},
    {"TiB", int64_t{1} << 40},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
};

std::optional<int64_t> BytesOfUnit(absl::string_view name) {
  for (const Unit& unit : kUnits) {
    if (absl::EqualsIgnoreCase(unit.name, name)) return unit.bytes;
  }
  return std::nullopt;
}

std::optional<int64_t> MultiplyExactly(absl::string_view number,
                                       int64_t unit_bytes) {
  int64_t whole;
  int64_t bytes;
  if (absl::SimpleAtoi(number, &whole)) {
    if (__builtin_mul_overflow(whole, unit_bytes, &bytes)) return std::nullopt;
    return bytes;
  }
  double fraction;
  if (!absl::SimpleAtod(number, &fraction)) return std::nullopt;
  const double product = fraction * static_cast<double>(unit_bytes);
  // Below 2^53 a double tells whole numbers apart.
  if (product != std::floor(product) || product > 9007199254740992.0) {
    return std::nullopt;
  }
  return static_cast<int64_t>(product);
}

}  // namespace

absl::StatusOr<int64_t> ParseByteSize(absl::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  const size_t number_size =
      std::min(trimmed.find_first_not_of("0123456789."), trimmed.size());
  const std::optional<int64_t> unit_bytes =
      BytesOfUnit(absl::StripAsciiWhitespace(trimmed.substr(number_size)));
  const std::optional<int64_t> bytes =
      unit_bytes.has_value()
          ? MultiplyExactly(trimmed.substr(0, number_size), *unit_bytes)
          : std::nullopt;
  if (!bytes.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected a size such as 512MiB, 8GiB, 1GB or 65536, found ",
        Quoted(text)));
  }
  return *bytes;
}

}  // namespace hydra
