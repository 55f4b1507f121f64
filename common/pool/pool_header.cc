#include "common/pool/pool_header.h"

#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/hash/fnv.h"

namespace hydra {
namespace {

constexpr char kMagic[sizeof(PoolHeader::magic)] = {'H', 'Y', 'D', 'R',
                                                    'A', 'P', 'L', '\n'};
// Of what lies in a pool, too. 2: a boundary is laid out for its own batch's
// tokens.
constexpr uint64_t kLayoutVersion = 2;

// Enough to notice a torn or overwritten header.
uint64_t Checksum(const PoolHeader& header) {
  return Fnv1a(
      {reinterpret_cast<const char*>(&header), offsetof(PoolHeader, checksum)});
}

}  // namespace

PoolHeader MakePoolHeader(InstanceId instance_id, int64_t total_bytes,
                          int64_t owner_pid) {
  PoolHeader header = {};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.layout_version = kLayoutVersion;
  header.instance_id = instance_id;
  header.total_bytes = total_bytes;
  header.data_offset = kPoolDataOffset;
  header.checksum = Checksum(header);
  header.owner_pid = owner_pid;
  return header;
}

bool HasPoolMagic(const PoolHeader& header) {
  return std::memcmp(header.magic, kMagic, sizeof(kMagic)) == 0;
}

absl::Status CheckPoolHeader(const PoolHeader& header) {
  if (!HasPoolMagic(header)) {
    return absl::FailedPreconditionError("it is not a pool file");
  }
  if (header.layout_version != kLayoutVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("its layout version is ", header.layout_version,
                     ", this program knows ", kLayoutVersion));
  }
  if (header.checksum != Checksum(header)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "its header is damaged: checksum ", absl::Hex(header.checksum),
        ", computed ", absl::Hex(Checksum(header))));
  }
  return absl::OkStatus();
}

}  // namespace hydra
