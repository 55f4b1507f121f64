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
// Far beyond any disk; the bytes of ids and rows do not overflow.
constexpr uint64_t kMaxTokenCount = uint64_t{1} << 58;

struct Front {
  char magic[8];
  uint32_t version;
  uint32_t max_token_id;
  uint64_t token_count;
  char content_hash[Sha256::kDigestBytes];
};

struct Layout {
  Front front;
  char checksum[kHeaderChecksumBytes];
};

struct MarkedLayout {
  Front front;
  int64_t row_count;
  int64_t trained_count;
  int64_t read_rows;
  int64_t cut_rows;
  int64_t cut_tokens;
  int64_t dropped_rows;
  // Of WholeRows.
  int64_t class_count;
  int64_t mask_id;
  char checksum[kHeaderChecksumBytes];
};

static_assert(sizeof(Layout) == TokenHeader::kBytes, "no padding");
static_assert(sizeof(MarkedLayout) == TokenHeader::kMarkedBytes, "no padding");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the file's byte order is the machine's");

Front FrontOf(const TokenHeader& header) {
  CHECK_EQ(header.content_hash.size(), Sha256::kDigestBytes);
  Front front = {};
  std::memcpy(front.magic, kMagic, sizeof(front.magic));
  front.version = !header.marked.has_value() ? TokenHeader::kVersion
                  : header.marked->whole.has_value()
                      ? TokenHeader::kWholeVersion
                      : TokenHeader::kMarkedVersion;
  front.max_token_id = header.max_token_id;
  front.token_count = header.token_count;
  std::memcpy(front.content_hash, header.content_hash.data(),
              sizeof(front.content_hash));
  return front;
}

template <typename Layout>
std::string BytesOf(const Layout& layout) {
  return WithChecksum(
      std::string(reinterpret_cast<const char*>(&layout), sizeof(layout)));
}

// The counts, which a checksum vouches for.
absl::StatusOr<MarkedTokens> MarkedOf(absl::string_view bytes) {
  MarkedLayout layout;
  std::memcpy(&layout, bytes.data(), sizeof(layout));
  const int64_t tokens = layout.front.token_count;
  if (layout.row_count < 0 || layout.row_count > tokens ||
      layout.trained_count < 0 || layout.trained_count > tokens) {
    return absl::DataLossError(
        absl::StrCat("has a header of ", layout.row_count, " rows and ",
                     layout.trained_count, " trained tokens, of ", tokens));
  }
  MarkedTokens marked{layout.row_count,  layout.trained_count,
                      layout.read_rows,  layout.cut_rows,
                      layout.cut_tokens, layout.dropped_rows};
  if (layout.front.version != TokenHeader::kWholeVersion) return marked;
  if (layout.row_count == 0 || layout.class_count < 0 || layout.mask_id < 0) {
    return absl::DataLossError(absl::StrCat(
        "has a header of ", layout.row_count, " whole rows of ",
        layout.class_count, " classes, and of the mask ", layout.mask_id));
  }
  marked.whole = WholeRows{layout.class_count, layout.mask_id};
  return marked;
}

}  // namespace

std::string EncodeTokenHeader(const TokenHeader& header) {
  if (!header.marked.has_value()) return BytesOf(Layout{FrontOf(header), {}});
  const MarkedTokens& marked = *header.marked;
  const WholeRows whole = marked.whole.value_or(WholeRows());
  return BytesOf(MarkedLayout{FrontOf(header),
                              marked.row_count,
                              marked.trained_count,
                              marked.read_rows,
                              marked.cut_rows,
                              marked.cut_tokens,
                              marked.dropped_rows,
                              whole.class_count,
                              whole.mask_id,
                              {}});
}

absl::StatusOr<TokenHeader> DecodeTokenHeader(absl::string_view bytes) {
  if (bytes.size() < TokenHeader::kBytes) {
    return absl::DataLossError(absl::StrCat("has ", bytes.size(),
                                            " bytes, fewer than the header's ",
                                            TokenHeader::kBytes));
  }
  Front front;
  std::memcpy(&front, bytes.data(), sizeof(front));
  if (std::memcmp(front.magic, kMagic, sizeof(front.magic)) != 0) {
    return absl::DataLossError("is not a prepared token file");
  }
  const bool is_marked = front.version == TokenHeader::kMarkedVersion ||
                         front.version == TokenHeader::kWholeVersion;
  if (!is_marked && front.version != TokenHeader::kVersion) {
    return absl::DataLossError(absl::StrCat(
        "has format version ", front.version, ", expected ",
        TokenHeader::kVersion, " to ", TokenHeader::kWholeVersion));
  }
  const size_t header_bytes =
      is_marked ? TokenHeader::kMarkedBytes : TokenHeader::kBytes;
  if (bytes.size() < header_bytes ||
      !HasRightChecksum(bytes.substr(0, header_bytes))) {
    return absl::DataLossError("has a header that fails its checksum");
  }
  if (front.token_count > kMaxTokenCount) {
    return absl::DataLossError(
        absl::StrCat("has a header of ", front.token_count, " tokens"));
  }
  TokenHeader header;
  header.token_count = front.token_count;
  header.max_token_id = front.max_token_id;
  header.content_hash.assign(front.content_hash, sizeof(front.content_hash));
  if (!is_marked) return header;
  const absl::StatusOr<MarkedTokens> marked = MarkedOf(bytes);
  if (!marked.ok()) return marked.status();
  header.marked = *marked;
  return header;
}

}  // namespace hydra
