#ifndef HYDRA_WORKER_DATA_WORD_PIECE_H_
#define HYDRA_WORKER_DATA_WORD_PIECE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer_parts.h"
#include "worker/data/word_model.h"

namespace hydra {

// BERT's: the longest token that a word begins with, then the longest one that
// goes on, and so forth; the unknown token if that does not work out.
class WordPiece : public WordModel {
 public:
  // `tokenizer` must outlive this.
  explicit WordPiece(const Tokenizer* tokenizer);

  // O(n * longest token).
  void Encode(absl::string_view word, std::vector<uint32_t>* ids) override;

 private:
  // The id of the longest token that goes on at `begin`, and moves `*begin`
  // behind it; nothing if there is none.
  std::optional<uint32_t> TakeToken(absl::string_view word, size_t* begin);

  const Tokenizer& tokenizer_;
  size_t longest_bytes_ = 0;  // Of a token.
  std::string candidate_;     // Scratch of TakeToken.
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_WORD_PIECE_H_
