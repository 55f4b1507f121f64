#include "worker/data/text_tokenizer.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/text/code_points.h"
#include "common/text/utf8.h"
#include "worker/data/posix_file.h"

namespace hydra {
namespace {

// Natural text reuses short words; a limit on both keeps strange text from
// filling the memory.
constexpr size_t kMaxKnownWordBytes = 48;
constexpr size_t kMaxKnownWords = 1 << 18;

}  // namespace

absl::StatusOr<std::unique_ptr<TextTokenizer>> TextTokenizer::Load(
    const std::string& directory) {
  TokenizerFiles files;
  for (const TokenizerFileName& file : kTokenizerFileNames) {
    const std::string path = absl::StrCat(directory, "/", file.name);
    absl::StatusOr<std::string> text = ReadWholeFile(path);
    if (absl::IsNotFound(text.status())) continue;
    if (!text.ok()) return text.status();
    files.*file.member = TokenizerFile{path, *std::move(text)};
  }
  absl::StatusOr<Tokenizer> tokenizer = ParseTokenizer(files);
  if (!tokenizer.ok()) return tokenizer.status();
  return std::make_unique<TextTokenizer>(*std::move(tokenizer));
}

TextTokenizer::TextTokenizer(Tokenizer tokenizer)
    : tokenizer_(std::move(tokenizer)),
      normalizer_(tokenizer_.normalizer),
      splitter_(tokenizer_.pre_tokenizer),
      safe_cuts_(tokenizer_),
      model_(MakeWordModel(tokenizer_)) {
  if (tokenizer_.model == TokenModel::kCharacterBpe) {
    joints_.emplace(tokenizer_);
  }
  for (AddedToken token : tokenizer_.added) {
    if (!token.first) token.text = normalizer_.Apply(token.text);
    (token.first ? first_added_ : added_).Add(std::move(token));
  }
}

void TextTokenizer::Encode(absl::string_view text, std::vector<uint32_t>* ids) {
  EncodeText(text, TextPlace::kStart, {}, ids);
}

std::vector<TokenPlace> TextTokenizer::EncodeWithPlaces(
    absl::string_view text, absl::Span<const size_t> places,
    std::vector<uint32_t>* ids) {
  std::vector<TokenPlace> found;
  EncodeText(text, TextPlace::kStart, {places, &found}, ids);
  return found;
}

void TextTokenizer::EncodeContinued(absl::string_view text,
                                    std::vector<uint32_t>* ids) {
  EncodeText(text, TextPlace::kCut, {}, ids);
}

void TextTokenizer::EncodeText(absl::string_view text, TextPlace place,
                               Places places, std::vector<uint32_t>* ids) {
  std::string repaired;
  EncodeParts(first_added_, RepairUtf8(text, &repaired), places, ids,
              [&](absl::string_view between, size_t begin, Places inside) {
                EncodeNormal(between, begin == 0 ? place : TextPlace::kInside,
                             inside, ids);
              });
}

void TextTokenizer::EncodeNormal(absl::string_view text, TextPlace place,
                                 Places places, std::vector<uint32_t>* ids) {
  std::string normal;
  std::vector<size_t> normal_places;
  if (!normalizer_.empty()) {
    normal = normalizer_.Apply(text, place == TextPlace::kCut);
    for (size_t at : places.places) {
      normal_places.push_back(NormalPlace(text, normal, at));
    }
    places.places = normal_places;
    text = normal;
  }
  EncodeParts(added_, text, places, ids,
              [&](absl::string_view between, size_t begin, Places inside) {
                EncodeOrdinary(between, begin == 0 ? place : TextPlace::kInside,
                               inside, ids);
              });
}

void TextTokenizer::EncodeParts(
    const AddedTokens& added, absl::string_view text, Places places,
    std::vector<uint32_t>* ids,
    absl::FunctionRef<void(absl::string_view, size_t, Places)> rest) {
  const auto places_in = [&places](size_t begin, size_t end) {
    std::vector<size_t> inside;
    while (!places.places.empty() && places.places.front() < end) {
      inside.push_back(places.places.front() - begin);
      places.places.remove_prefix(1);
    }
    return inside;
  };
  added.Split(
      text,
      [&](uint32_t id, size_t begin, size_t end) {
        const size_t here = ids->size();
        for (size_t at : places_in(begin, end)) {
          places.found->push_back({here, at == 0 ? here : here + 1});
        }
        ids->push_back(id);
      },
      [&](absl::string_view between, size_t begin) {
        const std::vector<size_t> inside =
            places_in(begin, begin + between.size());
        rest(between, begin, {inside, places.found});
      });
  for (size_t i = 0; i < places.places.size(); ++i) {
    places.found->push_back({ids->size(), ids->size()});
  }
}

// An exact alignment of each character would say the same: what the normalizer
// makes of a text's begin is how it begins the whole, unless the place is
// between characters that become one.
size_t TextTokenizer::NormalPlace(absl::string_view text,
                                  absl::string_view normal,
                                  size_t place) const {
  size_t end = place;
  while (end < text.size()) {
    const std::string begin = normalizer_.Apply(text.substr(0, end));
    if (absl::StartsWith(normal, begin)) return begin.size();
    NextCodePoint(text, &end);
  }
  return normal.size();
}

void TextTokenizer::EncodeOrdinary(absl::string_view text, TextPlace place,
                                   Places places, std::vector<uint32_t>* ids) {
  std::vector<size_t> word_places;
  for (size_t at : places.places) {
    word_places.push_back(WordBytes(text.substr(0, at), place));
  }
  places.places = word_places;
  size_t done = 0;
  const auto encode = [&](absl::string_view word) {
    const size_t first = ids->size();
    EncodeWord(word, ids);
    if (!places.places.empty()) NoteWord(word, done, first, *ids, &places);
    done += word.size();
  };
  splitter_.Split(text, place, [&](absl::string_view word) {
    if (joints_.has_value()) {
      joints_->Split(word, encode);
    } else {
      encode(word);
    }
  });
  for (size_t i = 0; i < places.places.size(); ++i) {
    places.found->push_back({ids->size(), ids->size()});
  }
}

size_t TextTokenizer::WordBytes(absl::string_view text, TextPlace place) const {
  size_t bytes = 0;
  splitter_.Split(text, place,
                  [&](absl::string_view word) { bytes += word.size(); });
  return bytes;
}

void TextTokenizer::NoteWord(absl::string_view word, size_t begin, size_t first,
                             const std::vector<uint32_t>& ids, Places* places) {
  const auto is_before = [places](size_t end) {
    return !places->places.empty() && places->places.front() < end;
  };
  const auto note = [places](size_t token_begin, size_t reaching,
                             size_t behind) {
    const bool is_inside = places->places.front() > token_begin;
    places->found->push_back({reaching, is_inside ? behind : reaching});
    places->places.remove_prefix(1);
  };
  const std::vector<uint32_t>& token_bytes = TokenBytes();
  const size_t word_end = begin + word.size();
  size_t known_bytes = 0;
  for (size_t i = first; i < ids.size(); ++i)
    known_bytes += token_bytes[ids[i]];
  size_t token_begin = begin;
  if (known_bytes == word.size()) {
    for (size_t i = first; i < ids.size(); ++i) {
      const size_t token_end = token_begin + token_bytes[ids[i]];
      while (is_before(token_end)) note(token_begin, i, i + 1);
      token_begin = token_end;
    }
  }
  // Of a word with unknown characters nothing tells which token has which.
  while (is_before(word_end)) note(begin, first, ids.size());
}

const std::vector<uint32_t>& TextTokenizer::TokenBytes() {
  if (!token_bytes_.empty()) return token_bytes_;
  token_bytes_.resize(tokenizer_.size);
  for (const auto& [token, id] : tokenizer_.vocabulary) {
    absl::string_view text = token;
    if (tokenizer_.model == TokenModel::kByteBpe) {
      // A character stands for each byte.
      for (size_t at = 0; at < text.size(); NextCodePoint(text, &at)) {
        ++token_bytes_[id];
      }
      continue;
    }
    if (tokenizer_.model == TokenModel::kWordPiece) {
      absl::ConsumePrefix(&text, tokenizer_.continuation_prefix);
    }
    token_bytes_[id] = text.size();
  }
  for (uint32_t id : tokenizer_.byte_tokens) {
    if (id != kNoByteToken) token_bytes_[id] = 1;
  }
  return token_bytes_;
}

void TextTokenizer::EncodeWord(absl::string_view word,
                               std::vector<uint32_t>* ids) {
  const auto known = known_words_.find(word);
  if (known != known_words_.end()) {
    const auto begin = known_ids_.begin() + known->second.begin;
    ids->insert(ids->end(), begin, begin + known->second.count);
    return;
  }
  word_ids_.clear();
  model_->Encode(word, &word_ids_);
  ids->insert(ids->end(), word_ids_.begin(), word_ids_.end());
  if (word.size() <= kMaxKnownWordBytes &&
      known_words_.size() < kMaxKnownWords) {
    const KnownWord entry = {static_cast<uint32_t>(known_ids_.size()),
                             static_cast<uint32_t>(word_ids_.size())};
    known_words_.emplace(word, entry);
    known_ids_.insert(known_ids_.end(), word_ids_.begin(), word_ids_.end());
  }
}

}  // namespace hydra
