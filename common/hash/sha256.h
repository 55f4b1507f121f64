#ifndef HYDRA_COMMON_HASH_SHA256_H_
#define HYDRA_COMMON_HASH_SHA256_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

struct evp_md_ctx_st;

namespace hydra {

// SHA-256 of a row of bytes that comes in pieces. Not thread-safe.
class Sha256 {
 public:
  static constexpr int kDigestBytes = 32;

  Sha256();

  void Update(absl::string_view bytes);

  // The digest of what came so far; more may come.
  std::string DigestSoFar() const;

  // The digest: kDigestBytes raw bytes. The object must not be used afterwards.
  std::string Finish();

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const;
  };

  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

// The digest of all of these, in lower-case hexadecimal digits.
std::string HexSha256(absl::string_view bytes);

}  // namespace hydra

#endif  // HYDRA_COMMON_HASH_SHA256_H_
