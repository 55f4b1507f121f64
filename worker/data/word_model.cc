#include "worker/data/word_model.h"

#include "worker/data/byte_bpe.h"
#include "worker/data/character_bpe.h"
#include "worker/data/word_piece.h"

namespace hydra {

std::unique_ptr<WordModel> MakeWordModel(const Tokenizer& tokenizer) {
  switch (tokenizer.model) {
    case TokenModel::kByteBpe:
      return std::make_unique<ByteBpe>(&tokenizer);
    case TokenModel::kCharacterBpe:
      return std::make_unique<CharacterBpe>(&tokenizer);
    case TokenModel::kWordPiece:
      return std::make_unique<WordPiece>(&tokenizer);
  }
  return nullptr;
}

}  // namespace hydra
