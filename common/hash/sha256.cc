#include "common/hash/sha256.h"

#include <openssl/evp.h>

#include "absl/strings/escaping.h"
#include "glog/logging.h"

namespace hydra {

void Sha256::FreeContext::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ != nullptr);
  CHECK_EQ(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr), 1);
}

void Sha256::Update(absl::string_view bytes) {
  CHECK_EQ(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()), 1);
}

std::string Sha256::DigestSoFar() const {
  Sha256 copy;
  CHECK_EQ(EVP_MD_CTX_copy_ex(copy.context_.get(), context_.get()), 1);
  return copy.Finish();
}

std::string Sha256::Finish() {
  std::string digest(kDigestBytes, '\0');
  CHECK_EQ(EVP_DigestFinal_ex(context_.get(),
                              reinterpret_cast<unsigned char*>(digest.data()),
                              nullptr),
           1);
  return digest;
}

std::string HexSha256(absl::string_view bytes) {
  Sha256 digest;
  digest.Update(bytes);
  return absl::BytesToHexString(digest.Finish());
}

}  // namespace hydra
