#ifndef HYDRA_COMMON_TOKENIZER_UNICODE_CLASSES_H_
#define HYDRA_COMMON_TOKENIZER_UNICODE_CLASSES_H_

// Classes of characters as Hugging Face's tokenizers 0.23 has them, which
// takes them from several libraries of several versions of Unicode. They do
// not depend on the version of ICU, as long as that knows Unicode 15.
// Pure; any code point may be asked for.
namespace hydra {

// What the patterns of byte-level tokenizers tell apart (Unicode 16).
enum class CharClass { kLetter, kNumber, kWhiteSpace, kOther };
CharClass ClassifyForPatterns(char32_t c);

// White_Space.
bool IsWhiteSpace(char32_t c);

// \w of a regular expression: what `single_word` must not stand beside.
bool IsWordCharacter(char32_t c);

// Categories Nd, Nl and No (Unicode 17): the pre-tokenizer Digits.
bool IsNumeric(char32_t c);

// Of BERT's normalizer and pre-tokenizer (Unicode 8).
bool IsBertControl(char32_t c);  // Removed, with NUL and U+FFFD.
bool IsBertAccent(char32_t c);
bool IsBertPunctuation(char32_t c);
bool IsBertChinese(char32_t c);

// What StripAccents removes (Unicode 9).
bool IsCombiningMark(char32_t c);

// The lower case of one character (Unicode 17), of which U+0130 alone has two:
// itself without the dot that follows it there.
char32_t ToLowerCase(char32_t c);

// Whether a normalizer can neither remove `c` nor move it: a letter, number,
// punctuation or symbol.
bool IsStable(char32_t c);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_UNICODE_CLASSES_H_
