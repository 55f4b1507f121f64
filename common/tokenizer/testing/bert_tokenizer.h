#ifndef HYDRA_COMMON_TOKENIZER_TESTING_BERT_TOKENIZER_H_
#define HYDRA_COMMON_TOKENIZER_TESTING_BERT_TOKENIZER_H_

#include <cstdint>
#include <string>

namespace hydra {

// Of BertTokenizerJson.
inline constexpr uint32_t kTestPad = 0;
inline constexpr uint32_t kTestUnknown = 1;
inline constexpr uint32_t kTestCls = 2;
inline constexpr uint32_t kTestSep = 3;
inline constexpr uint32_t kTestMask = 4;
inline constexpr uint32_t kTestFirstWord = 5;

// A tokenizer.json as transformers writes BERT's: the words "w0", "w1" and so
// on have the ids from kTestFirstWord on, which `size` ends, all else is
// kTestUnknown.
std::string BertTokenizerJson(int64_t size);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_TESTING_BERT_TOKENIZER_H_
