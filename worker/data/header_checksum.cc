#include "worker/data/header_checksum.h"

#include <cstddef>

#include "common/hash/sha256.h"

namespace hydra {
namespace {

std::string Checksum(absl::string_view covered) {
  Sha256 sha;
  sha.Update(covered);
  return sha.Finish().substr(0, kHeaderChecksumBytes);
}

}  // namespace

std::string WithChecksum(std::string header) {
  const size_t covered = header.size() - kHeaderChecksumBytes;
  const std::string checksum =
      Checksum(absl::string_view(header).substr(0, covered));
  return header.replace(covered, kHeaderChecksumBytes, checksum);
}

bool HasRightChecksum(absl::string_view header) {
  const size_t covered = header.size() - kHeaderChecksumBytes;
  return header.substr(covered) == Checksum(header.substr(0, covered));
}

}  // namespace hydra
