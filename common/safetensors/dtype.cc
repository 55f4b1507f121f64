#include "common/safetensors/dtype.h"

#include <array>
#include <cstddef>

namespace hydra::safetensors {
namespace {

struct DtypeFacts {
  absl::string_view name;
  int bits;
};

// Indexed by Dtype.
constexpr DtypeFacts kFacts[] = {
    {"BOOL", 8},    {"F4", 4},          {"F6_E2M3", 6},     {"F6_E3M2", 6},
    {"U8", 8},      {"I8", 8},          {"F8_E5M2", 8},     {"F8_E4M3", 8},
    {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},        {"BF16", 16},       {"I32", 32},
    {"U32", 32},    {"F32", 32},        {"C64", 64},        {"F64", 64},
    {"I64", 64},    {"U64", 64},
};
constexpr size_t kDtypes = sizeof(kFacts) / sizeof(kFacts[0]);
static_assert(kDtypes == static_cast<size_t>(Dtype::kU64) + 1,
              "one line of facts for each dtype");

constexpr std::array<Dtype, kDtypes> MakeAll() {
  std::array<Dtype, kDtypes> all{};
  for (size_t i = 0; i < kDtypes; ++i) all[i] = static_cast<Dtype>(i);
  return all;
}
constexpr std::array<Dtype, kDtypes> kAll = MakeAll();

}  // namespace

absl::Span<const Dtype> AllDtypes() { return kAll; }

absl::string_view DtypeName(Dtype dtype) {
  return kFacts[static_cast<size_t>(dtype)].name;
}

std::optional<Dtype> DtypeFromName(absl::string_view name) {
  for (Dtype dtype : kAll) {
    if (DtypeName(dtype) == name) return dtype;
  }
  return std::nullopt;
}

int DtypeBits(Dtype dtype) { return kFacts[static_cast<size_t>(dtype)].bits; }

}  // namespace hydra::safetensors
