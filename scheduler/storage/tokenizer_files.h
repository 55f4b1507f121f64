#ifndef HYDRA_SCHEDULER_STORAGE_TOKENIZER_FILES_H_
#define HYDRA_SCHEDULER_STORAGE_TOKENIZER_FILES_H_

namespace hydra {

inline constexpr char kTemplateFile[] = "chat_template.jinja";

// What a tokenizer of Hugging Face may consist of, and what it knows of a
// model's images. The files go along with a trained model.
inline constexpr const char* kTokenizerFiles[] = {"vocab.json",
                                                  "merges.txt",
                                                  "vocab.txt",
                                                  "tokenizer.json",
                                                  "tokenizer.model",
                                                  "tokenizer_config.json",
                                                  "special_tokens_map.json",
                                                  "added_tokens.json",
                                                  kTemplateFile,
                                                  "preprocessor_config.json"};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_TOKENIZER_FILES_H_
