#ifndef HYDRA_COMMON_DATA_DATA_FORMAT_H_
#define HYDRA_COMMON_DATA_DATA_FORMAT_H_

#include "hydra/v1/job.pb.h"

namespace hydra {

// What is true of the formats of data files.

// Rows are conversations, of which a template makes a text.
inline bool IsConversations(hydra::v1::DataFormat format) {
  return format == hydra::v1::DATA_FORMAT_CHAT ||
         format == hydra::v1::DATA_FORMAT_INSTRUCTION;
}

// Rows are texts with their classes.
inline bool IsLabeled(hydra::v1::DataFormat format) {
  return format == hydra::v1::DATA_FORMAT_LABELED ||
         format == hydra::v1::DATA_FORMAT_CSV;
}

// JSON Lines: an object in each line.
inline bool IsJsonLines(hydra::v1::DataFormat format) {
  return format == hydra::v1::DATA_FORMAT_JSONL ||
         format == hydra::v1::DATA_FORMAT_LABELED || IsConversations(format);
}

// Rows, whatever they look like.
inline bool IsRows(hydra::v1::DataFormat format) {
  return IsJsonLines(format) || IsLabeled(format);
}

// Tensors, of which each model takes its own; no tokens.
inline bool IsTensors(hydra::v1::DataFormat format) {
  return format == hydra::v1::DATA_FORMAT_TENSORS;
}

// Folders of pictures, one for each class; no files of data.
inline bool IsImages(hydra::v1::DataFormat format) {
  return format == hydra::v1::DATA_FORMAT_IMAGES;
}

// Examples with a class each, and no tokens.
inline bool HasExamples(hydra::v1::DataFormat format) {
  return IsTensors(format) || IsImages(format);
}

// Examples, or rows, have a class, and models that learn from them are measured
// by their accuracy.
inline bool HasClasses(hydra::v1::DataFormat format) {
  return HasExamples(format) || IsLabeled(format);
}

// Text that a tokenizer makes ids of; else the ids, or tensors, are there.
inline bool IsTokenized(hydra::v1::DataFormat format) {
  return format == hydra::v1::DATA_FORMAT_TEXT || IsRows(format);
}

}  // namespace hydra

#endif  // HYDRA_COMMON_DATA_DATA_FORMAT_H_
