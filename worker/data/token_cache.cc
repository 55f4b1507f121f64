#include "worker/data/token_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/file/file.h"
#include "common/tokenizer/tokenizer.h"
#include "glog/logging.h"
#include "worker/data/gpt2_tokenizer.h"
#include "worker/data/input_file.h"
#include "worker/data/posix_file.h"
#include "worker/data/sha256.h"
#include "worker/data/token_file.h"
#include "worker/data/token_writer.h"

namespace hydra {
namespace {

// Raise the number with any change of the ids or of the file's layout.
constexpr absl::string_view kOutputVersion = "hydra tokens 1";

// The one added token that keys do not tell of: they had it from the start.
constexpr absl::string_view kEndOfText = "<|endoftext|>";

// What a request's files hold, as far as it decides the output.
struct Sources {
  // Of kText alone.
  TokenizerFiles tokenizer_files;
  std::optional<Tokenizer> tokenizer;
  std::vector<FileDigest> digests;  // One for each data file.
};

std::string Sha256Of(absl::string_view bytes) {
  Sha256 sha;
  sha.Update(bytes);
  return sha.Finish();
}

absl::StatusOr<std::string> ReadTokenizerFile(
    const std::string& path, const std::vector<std::string>& read_roots) {
  absl::StatusOr<PosixFile> file = OpenInputFile(path, read_roots);
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
    absl::StatusOr<std::string> text =
        ReadTokenizerFile(path, request.read_roots);
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

absl::StatusOr<Sources> ReadSources(const PrepareRequest& request,
                                    TaskControl& control) {
  Sources sources;
  if (request.format == TokenFormat::kText) {
    absl::StatusOr<TokenizerFiles> files = ReadTokenizerFiles(request);
    if (!files.ok()) return files.status();
    absl::StatusOr<Tokenizer> tokenizer = ParseTokenizer(*files);
    if (!tokenizer.ok()) return tokenizer.status();
    sources.tokenizer_files = *std::move(files);
    sources.tokenizer = *std::move(tokenizer);
  }
  for (const std::string& path : request.files) {
    absl::StatusOr<PosixFile> file = OpenInputFile(path, request.read_roots);
    if (!file.ok()) return file.status();
    absl::StatusOr<FileDigest> digest = request.format == TokenFormat::kText
                                            ? DigestText(&*file, control)
                                            : DigestFile(&*file, control);
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
    if (parts.empty()) continue;
    warnings.push_back(
        absl::StrCat(request.files[i], ": of ", digest.size_bytes, " bytes, ",
                     absl::StrJoin(parts, "; "), "; is it UTF-8 text?"));
  }
  return warnings;
}

absl::string_view TextOf(const std::optional<TokenizerFile>& file) {
  return file.has_value() ? absl::string_view(file->text) : "";
}

bool HasMoreThanEndOfText(const Tokenizer& tokenizer) {
  return tokenizer.added.size() > 1 ||
         (tokenizer.added.size() == 1 &&
          tokenizer.added.front().text != kEndOfText);
}

// Tells any two lists of added tokens apart.
std::string AddedText(const Tokenizer& tokenizer) {
  std::string text;
  for (const AddedToken& token : tokenizer.added) {
    absl::StrAppend(&text, token.id, token.first ? " first " : " ",
                    token.text.size(), " ", token.text);
  }
  return text;
}

// All parts but the first have a fixed length, so no two requests share a key.
std::string Key(TokenFormat format, const Sources& sources) {
  Sha256 sha;
  sha.Update(
      absl::StrCat(kOutputVersion, " format ", static_cast<int>(format), "\n"));
  const TokenizerFiles& files = sources.tokenizer_files;
  if (files.tokenizer_json.has_value()) {
    sha.Update(Sha256Of(files.tokenizer_json->text));
    sha.Update(Sha256Of(""));
  } else {
    sha.Update(Sha256Of(TextOf(files.vocab_json)));
    sha.Update(Sha256Of(TextOf(files.merges_txt)));
  }
  if (sources.tokenizer.has_value() &&
      HasMoreThanEndOfText(*sources.tokenizer)) {
    sha.Update(Sha256Of(AddedText(*sources.tokenizer)));
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

bool IsStillAt(const PosixFile& file, const std::string& path) {
  struct stat opened;
  struct stat named;
  return fstat(file.fd(), &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// Opens or creates the file at `path` and waits until no other process has it
// locked. Whoever holds the lock may rename or remove the file; then those who
// waited have a file that is not there any more, and begin again.
absl::StatusOr<PosixFile> OpenLocked(const std::string& path) {
  while (true) {
    absl::StatusOr<PosixFile> file = PosixFile::Open(path, O_RDWR | O_CREAT);
    if (!file.ok()) return file;
    while (flock(file->fd(), LOCK_EX) != 0) {
      if (errno != EINTR) return ErrnoStatus("cannot lock", path);
    }
    if (IsStillAt(*file, path)) return file;
  }
}

absl::Status WriteTokens(const PrepareRequest& request, const Sources& sources,
                         PosixFile* file, TaskControl& control) {
  std::unique_ptr<Gpt2Tokenizer> tokenizer;
  if (request.format == TokenFormat::kText) {
    tokenizer = std::make_unique<Gpt2Tokenizer>(*sources.tokenizer);
  }
  TokenWriter writer(file);
  const absl::Status begun = writer.Begin();
  if (!begun.ok()) return begun;
  for (size_t i = 0; i < request.files.size(); ++i) {
    absl::StatusOr<PosixFile> source =
        OpenInputFile(request.files[i], request.read_roots);
    if (!source.ok()) return source.status();
    const absl::StatusOr<FileDigest> digest =
        ReadTokens(&*source, request.format, tokenizer.get(), control,
                   [&writer](absl::Span<const uint32_t> ids) {
                     return writer.Append(ids);
                   });
    if (!digest.ok()) return digest.status();
    if (digest->sha256 != sources.digests[i].sha256) {
      return absl::FailedPreconditionError(
          absl::StrCat(request.files[i], " changed while it was read"));
    }
  }
  return writer.Finish();
}

// Gives `path` its content, unless another process has just done so. Returns
// whether it had.
absl::StatusOr<bool> MakeTokenFile(const PrepareRequest& request,
                                   const Sources& sources,
                                   const std::string& path,
                                   TaskControl& control) {
  const std::string temporary = absl::StrCat(path, ".tmp");
  absl::StatusOr<PosixFile> file = OpenLocked(temporary);
  if (!file.ok()) return file.status();
  auto remove = absl::MakeCleanup([&] { unlink(temporary.c_str()); });
  if (OpenChecked(path, control).ok()) return true;

  // A process that was killed may have left some of its work.
  if (ftruncate(file->fd(), 0) != 0) {
    return ErrnoStatus("cannot truncate", temporary);
  }
  const absl::Status written = WriteTokens(request, sources, &*file, control);
  if (!written.ok()) return written;
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return ErrnoStatus("cannot rename to", path);
  }
  std::move(remove).Cancel();
  const absl::Status synced = SyncDirectory(request.cache_dir);
  if (!synced.ok()) return synced;
  return false;
}

// Where token `position` of all comes from, for an error.
std::string Place(const PrepareRequest& request, const Sources& sources,
                  int64_t position) {
  if (request.format == TokenFormat::kText) {
    return absl::StrCat("the tokenizer's token ", position);
  }
  const int64_t token_bytes = request.format == TokenFormat::kTokensU16 ? 2 : 4;
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
  const absl::StatusOr<Sources> sources = ReadSources(request, control);
  if (!sources.ok()) return sources.status();
  std::error_code error;
  std::filesystem::create_directories(request.cache_dir, error);
  if (error) {
    return absl::ErrnoToStatus(
        error.value(), absl::StrCat("cannot create ", request.cache_dir));
  }

  PreparedData data;
  data.path = absl::StrCat(request.cache_dir, "/",
                           Key(request.format, *sources), ".tokens");
  absl::StatusOr<TokenFile> file = OpenChecked(data.path, control);
  data.reused = file.ok();
  if (MustBeMade(file.status())) {
    const absl::StatusOr<bool> reused =
        MakeTokenFile(request, *sources, data.path, control);
    if (!reused.ok()) return reused.status();
    data.reused = *reused;
    file = TokenFile::Open(data.path);
  }
  if (!file.ok()) return file.status();

  const absl::Status checked = CheckIds(request, *sources, *file);
  if (!checked.ok()) return checked;
  data.token_count = file->token_count();
  data.max_token_id = file->max_token_id();
  data.content_hash = file->content_hash();
  data.warnings = WarningsOf(request, *sources);
  return data;
}

}  // namespace hydra
