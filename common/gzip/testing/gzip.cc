#include "common/gzip/testing/gzip.h"

#include <zlib.h>

#include "glog/logging.h"

namespace hydra {

std::string Gzip(absl::string_view text) {
  constexpr int kGzipWindowBits = 15 + 16;
  z_stream z = {};
  CHECK_EQ(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindowBits,
                        /*memLevel=*/8, Z_DEFAULT_STRATEGY),
           Z_OK);
  std::string packed(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = text.size();
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = packed.size();
  CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

}  // namespace hydra
