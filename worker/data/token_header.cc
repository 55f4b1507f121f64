#include "worker/data/token_header.h"

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "glog/logging.h"
#include "worker/data/header_checksum.h"

namespace hydra {
namespace {

constexpr char kMagic[] = "HYDRATOK";
// Far beyond any disk; the ids' bytes do not overflow.
constexpr uint64_t kMaxTokenCount = uint64_t{1} << 60;

struct Layout {
  char magic[8];
  uint32_t version;
  uint32_t max_token_id;
  uint64_t token_count;
  char content_hash[Sha256::kDigestBytes];
  char checksum[kHeaderChecksumBytes];
};
static_assert(sizeof(Layout) == TokenHeader::kBytes, "no padding");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the file's byte order is the machine's");

}  // namespace

std::string EncodeTokenHeader(const TokenHeader& header) {
  CHECK_EQ(header.content_hash.size(), Sha256::kDigestBytes);
  Layout layout = {};
  std::memcpy(layout.magic, kMagic, sizeof(layout.magic));
  layout.version = TokenHeader::kVersion;
  layout.max_token_id = header.max_token_id;
  layout.token_count = header.token_count;
  std::memcpy(layout.content_hash, header.content_hash.data(),
              sizeof(layout.content_hash));
  return WithChecksum(
      std::string(reinterpret_cast<const char*>(&layout), sizeof(layout)));
}

absl::StatusOr<TokenHeader> DecodeTokenHeader(absl::string_view bytes) {
  if (bytes.size() < TokenHeader::kBytes) {
    return absl::DataLossError(absl::StrCat("has ", bytes.size(),
                                            " bytes, fewer than the header's ",
                                            TokenHeader::kBytes));
  }
  Layout layout;
  std::memcpy(&layout, bytes.data(), sizeof(layout));
  if (std::memcmp(layout.magic, kMagic, sizeof(layout.magic)) != 0) {
    return absl::DataLossError("is not a prepared token file");
  }
  if (layout.version != TokenHeader::kVersion) {
    return absl::DataLossError(absl::StrCat("has format version ",
                                            layout.version, ", expected ",
                                            TokenHeader::kVersion));
  }
  if (!HasRightChecksum(bytes.substr(0, TokenHeader::kBytes))) {
    return absl::DataLossError("has a header that fails its checksum");
  }
  if (layout.token_count > kMaxTokenCount) {
    return absl::DataLossError(
        absl::StrCat("has a header of ", layout.token_count, " tokens"));
  }
  TokenHeader header;
  header.token_count = layout.token_count;
  header.max_token_id = layout.max_token_id;
  header.content_hash.assign(layout.content_hash, sizeof(layout.content_hash));
  return header;
}

}  // namespace hydra
