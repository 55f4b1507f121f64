#include "worker/data/token_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/data/data_format.h"
#include "common/file/file.h"
#include "common/file/file_access.h"
#include "common/hash/sha256.h"
#include "common/tokenizer/chat_template.h"
#include "common/tokenizer/tokenizer.h"
#include "glog/logging.h"
#include "worker/data/chat/chat_build.h"
#include "worker/data/chat/chat_row.h"
#include "worker/data/input_file.h"
#include "worker/data/labeled_rows.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_build.h"
#include "worker/data/token_file.h"
#include "worker/data/unfinished_files.h"

namespace hydra {
namespace {

// Raise the number with any change of the ids or of the file's layout.
constexpr absl::string_view kOutputVersion = "hydra tokens 1";

// And this one with any change of what becomes of conversations.
constexpr absl::string_view kRenderingVersion = "rendering 1";

// And this one with any change of what becomes of sequences that are taken
// whole.
constexpr absl::string_view kSequenceVersion = "sequences 1";

// The added token that keys do not tell of where the vocabulary has it: they
// had it from the start.
constexpr absl::string_view kEndOfText = "<|endoftext|>";

// What a request's files hold, as far as it decides the output.
struct Sources {
  // Of text and rows.
  TokenizerFiles tokenizer_files;
  std::optional<Tokenizer> tokenizer;
  // Of conversations.
  std::optional<ChatTemplate> chat_template;
  std::vector<FileDigest> digests;  // One for each data file.
};

std::string Sha256Of(absl::string_view bytes) {
  Sha256 sha;
  sha.Update(bytes);
  return sha.Finish();
}

absl::StatusOr<std::string> ReadTokenizerFile(const std::string& path,
                                              const FileAccess& access) {
  absl::StatusOr<PosixFile> file = OpenInputFile(path, access);
  if (!file.ok()) return file.status();
  const absl::StatusOr<int64_t> size_bytes = file->SizeBytes();
  if (!size_bytes.ok()) return size_bytes.status();
  if (*size_bytes > kMaxTokenizerFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has ", *size_bytes, " bytes, at most ",
                     kMaxTokenizerFileBytes, " are allowed"));
  }
  std::string content(*size_bytes, '\0');
  const absl::StatusOr<int64_t> count = file->Read(absl::MakeSpan(content));
  if (!count.ok()) return count.status();
  content.resize(*count);
  return content;
}

absl::StatusOr<TokenizerFiles> ReadTokenizerFiles(
    const PrepareRequest& request) {
  TokenizerFiles files;
  const auto read = [&](const std::string& path,
                        std::optional<TokenizerFile>& file) -> absl::Status {
    absl::StatusOr<std::string> text = ReadTokenizerFile(path, request.access);
    if (!text.ok()) return text.status();
    file = TokenizerFile{path, *std::move(text)};
    return absl::OkStatus();
  };
  if (request.tokenizer_dir.empty()) {
    absl::Status status = read(request.vocabulary_path, files.vocab_json);
    if (status.ok()) status = read(request.merges_path, files.merges_txt);
    if (!status.ok()) return status;
    return files;
  }
  for (const TokenizerFileName& file : kTokenizerFileNames) {
    const absl::Status status =
        read(absl::StrCat(request.tokenizer_dir, "/", file.name),
             files.*file.member);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
  }
  return files;
}

absl::StatusOr<FileDigest> Digest(const PrepareRequest& request,
                                  PosixFile* file, TaskControl& control) {
  switch (request.format) {
    case v1::DATA_FORMAT_TEXT:
      return DigestText(file, control);
    case v1::DATA_FORMAT_JSONL:
      return DigestRows(file, request.text_field, control);
    case v1::DATA_FORMAT_CHAT:
    case v1::DATA_FORMAT_INSTRUCTION:
      return ReadRows(file, control, [&request](absl::string_view row) {
        return MessagesOfRow(row, request.format, !request.train_on_prompt)
            .status();
      });
    case v1::DATA_FORMAT_LABELED:
    case v1::DATA_FORMAT_CSV:
      return ReadLabeledRows(
          file, *request.sequences->labeled, control,
          [](const LabeledText&) { return absl::OkStatus(); });
    default:
      return DigestFile(file, control);
  }
}

// Whether the format is one that the model learns from.
absl::Status CheckFormat(const PrepareRequest& request) {
  const bool has_classes =
      request.sequences.has_value() && request.sequences->labeled.has_value();
  if (IsLabeled(request.format) == has_classes &&
      (!request.sequences.has_value() || IsTokenized(request.format))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("data.format ", v1::DataFormat_Name(request.format),
                   has_classes ? " has no classes, which the model learns"
                               : " is not what the model learns from"));
}

absl::StatusOr<ChatTemplate> TemplateOf(const PrepareRequest& request,
                                        const TokenizerFiles& files,
                                        const Tokenizer& tokenizer) {
  std::optional<TokenizerFile> given;
  if (!request.chat_template.empty()) {
    given = TokenizerFile{request.chat_template_path.empty()
                              ? AlpacaTemplate().name
                              : request.chat_template_path,
                          request.chat_template};
  } else if (!request.chat_template_path.empty()) {
    absl::StatusOr<std::string> text =
        ReadTokenizerFile(request.chat_template_path, request.access);
    if (!text.ok()) return text.status();
    given = TokenizerFile{request.chat_template_path, *std::move(text)};
  }
  return ChatTemplateOf(
      files, tokenizer, given,
      /*or_alpaca=*/request.format == v1::DATA_FORMAT_INSTRUCTION);
}

absl::StatusOr<Sources> ReadSources(const PrepareRequest& request,
                                    TaskControl& control) {
  Sources sources;
  if (IsTokenized(request.format)) {
    absl::StatusOr<TokenizerFiles> files = ReadTokenizerFiles(request);
    if (!files.ok()) return files.status();
    absl::StatusOr<Tokenizer> tokenizer = ParseTokenizer(*files);
    if (!tokenizer.ok()) return tokenizer.status();
    // There it is sep_token that stands behind a text.
    if (request.sequences.has_value()) {
      tokenizer->end_of_text_id = tokenizer->sep_id;
    }
    if (request.format == v1::DATA_FORMAT_JSONL &&
        !tokenizer->end_of_text_id.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the tokenizer in ", request.tokenizer_dir, " ",
          request.sequences.has_value() ? kHasNoClsOrSep : kHasNoEndOfText));
    }
    sources.tokenizer_files = *std::move(files);
    sources.tokenizer = *std::move(tokenizer);
  }
  if (IsConversations(request.format)) {
    auto chat_template =
        TemplateOf(request, sources.tokenizer_files, *sources.tokenizer);
    if (!chat_template.ok()) return chat_template.status();
    sources.chat_template = *std::move(chat_template);
    sources.chat_template->day = request.day;
  }
  for (const std::string& path : request.files) {
    absl::StatusOr<PosixFile> file = OpenInputFile(path, request.access);
    if (!file.ok()) return file.status();
    absl::StatusOr<FileDigest> digest = Digest(request, &*file, control);
    if (!digest.ok()) return digest.status();
    sources.digests.push_back(*std::move(digest));
  }
  return sources;
}

std::vector<std::string> WarningsOf(const PrepareRequest& request,
                                    const Sources& sources) {
  std::vector<std::string> warnings;
  for (size_t i = 0; i < sources.digests.size(); ++i) {
    const FileDigest& digest = sources.digests[i];
    const Utf8Faults& faults = digest.faults;
    std::vector<std::string> parts;
    if (faults.bad_bytes > 0) {
      parts.push_back(absl::StrCat(faults.bad_bytes,
                                   " are no UTF-8, the first one at offset ",
                                   faults.first_bad));
    }
    if (faults.nul_bytes > 0) {
      parts.push_back(absl::StrCat(faults.nul_bytes,
                                   " are NUL, the first one at offset ",
                                   faults.first_nul));
    }
    if (digest.rows.empty > 0) {
      warnings.push_back(absl::StrCat(
          request.files[i], ": of ", digest.rows.rows, " rows, ",
          digest.rows.empty, " have an empty text, and are left out"));
    }
    if (parts.empty()) continue;
    warnings.push_back(
        absl::StrCat(request.files[i], ": of ", digest.size_bytes, " bytes, ",
                     absl::StrJoin(parts, "; "), "; is it UTF-8 text?"));
  }
  return warnings;
}

// What became of rows that are not trained on as they are.
void AddRowWarnings(const PrepareRequest& request, const MarkedTokens& marked,
                    std::vector<std::string>* warnings) {
  const std::string rows = absl::StrCat(
      request.files.front(), request.files.size() > 1 ? " and others" : "",
      ": of ", marked.read_rows, " rows, ");
  if (marked.cut_rows > 0) {
    warnings->push_back(absl::StrCat(
        rows, marked.cut_rows, " are longer than train.context_length, ",
        request.context_length, " tokens, and are cut there: ",
        marked.cut_tokens, " tokens are left out"));
  }
  if (marked.dropped_rows > 0) {
    warnings->push_back(absl::StrCat(
        rows, marked.dropped_rows, " have no token to train on",
        request.packing ? "" : " before they are cut", ", and are left out"));
  }
}

absl::string_view TextOf(const std::optional<TokenizerFile>& file) {
  return file.has_value() ? absl::string_view(file->text) : "";
}

// Whether all added tokens are the one that the vocabulary itself tells of.
bool HasUsualTokens(const Tokenizer& tokenizer) {
  if (!tokenizer.vocabulary.contains(kEndOfText)) {
    return tokenizer.added.empty();
  }
  if (tokenizer.added.size() != 1) return false;
  const AddedToken& token = tokenizer.added.front();
  return token.text == kEndOfText && token.first && !token.lstrip &&
         !token.rstrip && !token.single_word;
}

// Tells any two lists of added tokens apart.
std::string AddedText(const Tokenizer& tokenizer) {
  std::string text;
  for (const AddedToken& token : tokenizer.added) {
    absl::StrAppend(&text, token.id, token.first ? " first" : "",
                    token.lstrip ? " lstrip" : "",
                    token.rstrip ? " rstrip" : "",
                    token.single_word ? " single_word" : "", " ",
                    token.text.size(), " ", token.text);
  }
  return text;
}

// Tells any two ways to make tokens of conversations apart.
std::string RenderingText(const PrepareRequest& request,
                          const ChatTemplate& chat_template) {
  std::string text = absl::StrCat(
      kRenderingVersion, request.train_on_prompt ? " all" : " answers");
  if (request.packing) {
    absl::StrAppend(&text, " packed");
  } else {
    absl::StrAppend(&text, " rows of ", request.context_length);
  }
  if (DependsOnDay(chat_template)) {
    absl::StrAppend(&text, " on ", chat_template.day);
  }
  for (const auto& [name, value] : chat_template.variables) {
    absl::StrAppend(&text, " ", name, " ", value.size(), " ", value);
  }
  return absl::StrCat(text, " ", chat_template.text);
}

// Tells any two ways to make whole sequences apart.
std::string SequencesText(const SequenceOptions& options,
                          const Tokenizer& tokenizer) {
  const auto id_text = [](const std::optional<uint32_t>& id) {
    return id.has_value() ? absl::StrCat(*id) : "none";
  };
  std::string text =
      absl::StrCat(kSequenceVersion, " of ", options.context_length, " ",
                   id_text(tokenizer.cls_id), " ", id_text(tokenizer.sep_id),
                   " ", id_text(tokenizer.mask_id));
  if (!options.labeled.has_value()) return text;
  const LabeledReading& labeled = *options.labeled;
  for (const std::string& name :
       {labeled.text_field, labeled.text_pair_field, labeled.label_field}) {
    absl::StrAppend(&text, " ", name.size(), " ", name);
  }
  absl::StrAppend(&text, " classes ", labeled.class_count);
  for (const auto& [name, number] : labeled.class_numbers) {
    absl::StrAppend(&text, " ", name.size(), " ", name, " ", number);
  }
  return text;
}

// The first line says which parts follow but the data files' hashes, which are
// all that is left. All parts but that line have a fixed length, so no two
// requests share a key.
std::string Key(const PrepareRequest& request, const Sources& sources) {
  const bool tells_added =
      sources.tokenizer.has_value() && !HasUsualTokens(*sources.tokenizer);
  Sha256 sha;
  // Formats were counted from 0 once.
  sha.Update(absl::StrCat(
      kOutputVersion, " format ", static_cast<int>(request.format) - 1,
      tells_added ? " added tokens" : "",
      request.sequences.has_value() ? " sequences" : "", "\n"));
  const TokenizerFiles& files = sources.tokenizer_files;
  if (files.tokenizer_json.has_value()) {
    sha.Update(Sha256Of(files.tokenizer_json->text));
    sha.Update(Sha256Of(""));
  } else {
    sha.Update(Sha256Of(TextOf(files.vocab_json)));
    sha.Update(Sha256Of(TextOf(files.merges_txt)));
  }
  if (tells_added) {
    sha.Update(Sha256Of(AddedText(*sources.tokenizer)));
  }
  if (request.format == v1::DATA_FORMAT_JSONL) {
    sha.Update(Sha256Of(absl::StrCat(*sources.tokenizer->end_of_text_id, " ",
                                     request.text_field)));
  }
  if (request.sequences.has_value()) {
    sha.Update(Sha256Of(SequencesText(*request.sequences, *sources.tokenizer)));
  }
  if (IsConversations(request.format)) {
    sha.Update(Sha256Of(RenderingText(request, *sources.chat_template)));
  }
  for (const FileDigest& digest : sources.digests) sha.Update(digest.sha256);
  return absl::BytesToHexString(sha.Finish());
}

// The file at `path` with its content checked.
absl::StatusOr<TokenFile> OpenChecked(const std::string& path,
                                      TaskControl& control) {
  absl::StatusOr<TokenFile> file = TokenFile::Open(path);
  if (!file.ok()) return file;
  const absl::Status checked = file->CheckContent(control);
  if (!checked.ok()) return checked;
  return file;
}

bool MustBeMade(const absl::Status& found) {
  if (absl::IsDataLoss(found)) {
    LOG(WARNING) << found.message() << "; making it anew";
    return true;
  }
  return absl::IsNotFound(found);
}

TokenBuild BuildOf(const PrepareRequest& request, const Sources& sources) {
  TokenBuild build;
  for (size_t i = 0; i < request.files.size(); ++i) {
    build.files.push_back({request.files[i], sources.digests[i].sha256});
  }
  build.access = request.access;
  build.format = request.format;
  build.text_field = request.text_field;
  if (sources.tokenizer.has_value()) build.tokenizer = &*sources.tokenizer;
  build.save_bytes = request.save_bytes;
  return build;
}

ChatOptions ChatOptionsOf(const PrepareRequest& request,
                          const Sources& sources) {
  return {*sources.chat_template, request.train_on_prompt, request.packing,
          request.context_length};
}

// Whether a later call may need what this one, which ended so, has written. A
// disk that failed may work again. A full one gets its room back.
bool MayGoOn(const absl::Status& ended) {
  return absl::IsAborted(ended) || absl::IsUnavailable(ended) ||
         absl::IsUnknown(ended);
}

struct Made {
  // By another process, meanwhile.
  bool by_another = false;
  int64_t resumed_tokens = 0;
};

// Of what begins anew after an interruption. See MakeWholeFile.
absl::StatusOr<Made> MakeMarkedFile(const PrepareRequest& request,
                                    const Sources& sources,
                                    const std::string& path,
                                    TaskControl& control) {
  const absl::StatusOr<bool> made = MakeWholeFile(
      path, control, [&] { return OpenChecked(path, control).ok(); },
      [&](PosixFile& file) {
        if (request.sequences.has_value()) {
          return BuildSequences(BuildOf(request, sources), *request.sequences,
                                &file, control);
        }
        return BuildConversations(BuildOf(request, sources),
                                  ChatOptionsOf(request, sources), &file,
                                  control);
      });
  if (!made.ok()) return made.status();
  return Made{/*by_another=*/!*made};
}

// Gives `path` its content, unless another process has just done so.
absl::StatusOr<Made> MakeTokenFile(const PrepareRequest& request,
                                   const Sources& sources,
                                   const std::string& path,
                                   TaskControl& control) {
  const std::string unfinished = UnfinishedPath(path);
  const std::string progress_path = ProgressPath(path);
  absl::StatusOr<PosixFile> file = OpenUnfinished(path, control);
  if (!file.ok()) return file.status();
  auto remove = absl::MakeCleanup([&] {
    unlink(progress_path.c_str());
    unlink(unfinished.c_str());
  });
  if (OpenChecked(path, control).ok()) return Made{/*by_another=*/true};

  const TokenBuild build = BuildOf(request, sources);
  absl::StatusOr<PosixFile> progress =
      PosixFile::Open(progress_path, O_RDWR | O_CREAT);
  if (!progress.ok()) return progress.status();
  const absl::StatusOr<int64_t> earlier_bytes = progress->SizeBytes();
  absl::StatusOr<int64_t> resumed =
      BuildTokens(build, &*file, &*progress, control);
  // An earlier call may have read what a data file held for a while. Whether it
  // is now what it was when this call began, only the whole of it tells.
  if (absl::IsFailedPrecondition(resumed.status()) && earlier_bytes.ok() &&
      *earlier_bytes > 0) {
    LOG(WARNING) << resumed.status().message() << "; begins anew";
    absl::Status emptied = progress->Truncate(0);
    if (!emptied.ok()) return emptied;
    resumed = BuildTokens(build, &*file, &*progress, control);
  }
  if (!resumed.ok()) {
    const absl::StatusOr<int64_t> saved_bytes = progress->SizeBytes();
    if (MayGoOn(resumed.status()) && saved_bytes.ok() && *saved_bytes > 0) {
      std::move(remove).Cancel();
    }
    return resumed.status();
  }
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return ErrnoStatus("cannot rename to", path);
  }
  std::move(remove).Cancel();
  unlink(progress_path.c_str());
  const absl::Status synced = SyncDirectory(request.cache_dir);
  if (!synced.ok()) return synced;
  return Made{/*by_another=*/false, *resumed};
}

// Where token `position` of all comes from, for an error.
std::string Place(const PrepareRequest& request, const Sources& sources,
                  int64_t position) {
  if (IsTokenized(request.format)) {
    return absl::StrCat("the tokenizer's token ", position);
  }
  const int64_t token_bytes =
      request.format == v1::DATA_FORMAT_TOKENS_U16 ? 2 : 4;
  size_t file = 0;
  while (position >= sources.digests[file].size_bytes / token_bytes) {
    position -= sources.digests[file++].size_bytes / token_bytes;
  }
  return absl::StrCat(request.files[file], ": token ", position);
}

absl::Status CheckIds(const PrepareRequest& request, const Sources& sources,
                      const TokenFile& file) {
  if (!request.vocabulary_size.has_value()) return absl::OkStatus();
  const int64_t vocabulary_size = *request.vocabulary_size;
  if (const int64_t mask = file.whole().value_or(WholeRows()).mask_id;
      mask >= vocabulary_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("the tokenizer's mask_token has id ", mask,
                     ", vocab_size is ", vocabulary_size));
  }
  if (file.max_token_id() < vocabulary_size) return absl::OkStatus();
  const auto bad = file.FindIdFrom(vocabulary_size);
  if (!bad.ok()) return bad.status();
  // The ids were checked against the header.
  CHECK(bad->has_value());
  return absl::InvalidArgumentError(
      absl::StrCat(Place(request, sources, (*bad)->index), " has id ",
                   (*bad)->id, ", vocab_size is ", vocabulary_size));
}

}  // namespace

absl::StatusOr<PreparedData> Prepare(const PrepareRequest& request,
                                     TaskControl& control) {
  if (request.files.empty()) {
    return absl::InvalidArgumentError("the data set has no files");
  }
  if (absl::Status format = CheckFormat(request); !format.ok()) return format;
  const absl::StatusOr<Sources> sources = ReadSources(request, control);
  if (!sources.ok()) return sources.status();
  std::error_code error;
  std::filesystem::create_directories(request.cache_dir, error);
  if (error) {
    return absl::ErrnoToStatus(
        error.value(), absl::StrCat("cannot create ", request.cache_dir));
  }

  PreparedData data;
  data.path =
      absl::StrCat(request.cache_dir, "/", Key(request, *sources), ".tokens");
  absl::StatusOr<TokenFile> file = OpenChecked(data.path, control);
  data.reused = file.ok();
  if (MustBeMade(file.status())) {
    RemoveAbandoned(request.cache_dir, absl::Now() - kKeepUnfinished);
    const absl::StatusOr<Made> made =
        IsConversations(request.format) || request.sequences.has_value()
            ? MakeMarkedFile(request, *sources, data.path, control)
            : MakeTokenFile(request, *sources, data.path, control);
    if (!made.ok()) return made.status();
    data.reused = made->by_another;
    data.resumed_tokens = made->resumed_tokens;
    file = TokenFile::Open(data.path);
  }
  if (!file.ok()) return file.status();

  const absl::Status checked = CheckIds(request, *sources, *file);
  if (!checked.ok()) return checked;
  data.token_count = file->token_count();
  data.max_token_id = file->max_token_id();
  data.content_hash = file->content_hash();
  data.marked = file->marked();
  data.warnings = WarningsOf(request, *sources);
  if (data.marked.has_value()) {
    AddRowWarnings(request, *data.marked, &data.warnings);
  }
  for (const FileDigest& digest : sources->digests) {
    data.rows.rows += digest.rows.rows;
    data.rows.empty += digest.rows.empty;
  }
  return data;
}

}  // namespace hydra
