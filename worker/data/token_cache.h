#ifndef HYDRA_WORKER_DATA_TOKEN_CACHE_H_
#define HYDRA_WORKER_DATA_TOKEN_CACHE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/file/file_access.h"
#include "hydra/v1/job.pb.h"
#include "worker/data/sequence_build.h"
#include "worker/data/token_build.h"
#include "worker/data/token_header.h"
#include "worker/data/token_source.h"
#include "worker/task/task_control.h"

// Data sets on disk as one file of ids (see TokenFile), found by content: its
// name is the SHA-256 of the data files, in their order, of what of the
// tokenizer's files decides ids, of the field that rows are read by, of how
// conversations are rendered and cut (of the day, too, if their template asks
// for it), and of the version of this code's output.
// Where a file lies and when it was written does not matter, nor whether its
// text was packed.
namespace hydra {

struct PrepareRequest {
  // Created if missing.
  std::string cache_dir;

  // At least one. Their tokens follow each other in this order; each text file
  // is tokenized by itself, and nothing is put between files.
  std::vector<std::string> files;

  hydra::v1::DataFormat format = hydra::v1::DATA_FORMAT_TEXT;

  // For jsonl: the field with a row's text.
  std::string text_field = "text";

  // For conversations: their template, which `chat_template_path` is the name
  // of, if it has one; empty: what that file holds; without a file the
  // tokenizer's own, or for instruction rows Alpaca's prompt.
  std::string chat_template;
  std::string chat_template_path;
  // As ChatTemplate's.
  std::string day;
  // As ChatOptions'.
  bool train_on_prompt = false;
  bool packing = false;
  int64_t context_length = 0;

  // For a model that takes sequences whole: its labeled rows, or text.
  std::optional<SequenceOptions> sequences;

  // For text and rows: GPT-2's vocab.json and merges.txt.
  std::string vocabulary_path;
  std::string merges_path;
  // In place of the two, a directory with any of the files that ParseTokenizer
  // takes. Empty: none.
  std::string tokenizer_dir;

  // The files above must lie where it says.
  FileAccess access;

  // The model's: ids at or above it are refused.
  std::optional<int64_t> vocabulary_size;

  // As TokenBuild's.
  int64_t save_bytes = TokenBuild().save_bytes;
};

struct PreparedData {
  std::string path;
  int64_t token_count = 0;
  uint32_t max_token_id = 0;
  std::string content_hash;  // As TokenFile::content_hash.
  bool reused = false;       // Whether an earlier call had made the file.
  // Otherwise, how many tokens an earlier call had made before it was stopped.
  int64_t resumed_tokens = 0;

  // For JSON Lines: the rows of all files.
  RowCounts rows;
  // For conversations, and sequences that are taken whole.
  std::optional<MarkedTokens> marked;

  // For text: a sentence for each file that has bytes which no text has, with
  // their number and the first one's place. Such bytes are tokenized all the
  // same. For jsonl: one for each file that has rows with an empty text. For
  // conversations: how many rows were cut or left out.
  std::vector<std::string> warnings;
};

// Makes the token file of `request`, or finds it. Reads the data files once to
// find the name, and a second time if the file must be made; a file that is
// found is checked in full, and made anew if it is damaged.
//
// Any number of processes may prepare the same data at once: one makes the
// file, the others wait for it and reuse it. A file is complete from the moment
// it has its name. A call that is killed, stopped, or whose disk fails leaves a
// <name>.tmp and, once save_bytes were tokenized, a <name>.tmp.progress; the
// next call for the same data goes on from there, and makes the same bytes;
// conversations, and sequences that are taken whole, are begun anew. If
// there is none within a day, a call for other data removes them.
// Blocks; thread-safe.
//
// INVALID_ARGUMENT: as ReadTokens, DigestRows, ParseTokenizer, MessagesOfRow,
// ChatTemplateOf, BuildConversations and BuildSequences; no files;
// for jsonl, a tokenizer that has no token to end a text; a file
// of the tokenizer that is far too large; an id at or above vocabulary_size
// (the token file then stays: it is right). FAILED_PRECONDITION: a data file
// changed meanwhile. NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED and
// others: as OpenInputFile, and from the file system. Errors name the file.
// ABORTED: `control` says so, which is told of every piece that is read. After
// an error that would come again nothing half-made is left behind.
absl::StatusOr<PreparedData> Prepare(const PrepareRequest& request,
                                     TaskControl& control);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TOKEN_CACHE_H_
