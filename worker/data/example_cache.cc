#include "worker/data/example_cache.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/hash/sha256.h"
#include "worker/data/example_file.h"
#include "worker/data/example_source.h"
#include "worker/data/input_file.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_source.h"

namespace hydra {
namespace {

// Raise the number with any change of the file's layout.
constexpr absl::string_view kOutputVersion = "hydra examples 1";

constexpr int64_t kPieceBytes = int64_t{4} << 20;

std::string Key(const ExampleRequest& request,
                const std::vector<FileDigest>& digests) {
  Sha256 sha;
  sha.Update(absl::StrCat(kOutputVersion, " ", request.input.name, " [",
                          absl::StrJoin(request.input.shape, ", "), "] of ",
                          request.input.class_count, " classes\n"));
  for (const FileDigest& digest : digests) sha.Update(digest.sha256);
  return absl::BytesToHexString(sha.Finish());
}

absl::StatusOr<FileDigest> DigestOf(const std::string& path,
                                    const ExampleRequest& request,
                                    TaskControl& control) {
  absl::StatusOr<PosixFile> file = OpenInputFile(path, request.access);
  if (!file.ok()) return file.status();
  return DigestFile(&*file, control);
}

absl::StatusOr<ExampleSource> OpenSource(const std::string& path,
                                         const ExampleRequest& request) {
  const absl::StatusOr<PosixFile> file = OpenInputFile(path, request.access);
  if (!file.ok()) return file.status();
  return ExampleSource::Open(*file, request.input);
}

// What all data files have.
struct Facts {
  safetensors::Dtype dtype = safetensors::Dtype::kF32;
  // In all of them.
  int64_t example_count = 0;
  // A sentence for each file with tensors that are not read.
  std::vector<std::string> warnings;
};

// One file is open at a time: there may be more than a process may hold.
absl::StatusOr<Facts> CheckSources(const ExampleRequest& request) {
  Facts facts;
  for (const std::string& path : request.files) {
    const absl::StatusOr<ExampleSource> source = OpenSource(path, request);
    if (!source.ok()) return source.status();
    if (path == request.files.front()) facts.dtype = source->dtype();
    if (source->dtype() != facts.dtype) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": ", request.input.name, " has the type ",
          safetensors::DtypeName(source->dtype()), ", and that of ",
          request.files.front(), " ", safetensors::DtypeName(facts.dtype),
          "; the files of a split need one type"));
    }
    facts.example_count += source->example_count();
    if (source->others().empty()) continue;
    facts.warnings.push_back(
        absl::StrCat(path, ": not read are the tensors ",
                     absl::StrJoin(source->others(), ", ")));
  }
  return facts;
}

absl::Status Append(const ExampleSource& source, TaskControl& control,
                    ExampleWriter& writer) {
  const int64_t piece =
      std::max<int64_t>(1, kPieceBytes / writer.example_bytes());
  std::string records;
  for (int64_t first = 0; first < source.example_count(); first += piece) {
    if (absl::Status on = control.Advance(); !on.ok()) return on;
    records.clear();
    const int64_t count = std::min(piece, source.example_count() - first);
    absl::Status status = source.Read(first, count, &records);
    if (!status.ok()) return status;
    status = writer.Append(records, count);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Write(const ExampleRequest& request, const Facts& facts,
                   PosixFile* file, TaskControl& control) {
  ExampleHeader header;
  header.dtype = facts.dtype;
  header.element_count = request.input.element_count();
  ExampleWriter writer(std::move(header), file);
  absl::Status status = writer.Begin(facts.example_count);
  for (const std::string& path : request.files) {
    if (!status.ok()) return status;
    const absl::StatusOr<ExampleSource> source = OpenSource(path, request);
    if (!source.ok()) return source.status();
    if (source->dtype() != facts.dtype) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " changed while it was read"));
    }
    status = Append(*source, control, writer);
  }
  return status.ok() ? writer.Finish() : status;
}

// The files still have what the key stands for.
absl::Status CheckUnchanged(const ExampleRequest& request,
                            const std::vector<FileDigest>& digests,
                            TaskControl& control) {
  for (size_t i = 0; i < request.files.size(); ++i) {
    const absl::StatusOr<FileDigest> now =
        DigestOf(request.files[i], request, control);
    if (!now.ok()) return now.status();
    if (now->sha256 == digests[i].sha256) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(request.files[i], " changed while it was read"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PreparedExamples> PrepareExamples(const ExampleRequest& request,
                                                 TaskControl& control) {
  if (request.files.empty()) {
    return absl::InvalidArgumentError("the data set has no files");
  }
  std::vector<FileDigest> digests;
  for (const std::string& path : request.files) {
    absl::StatusOr<FileDigest> digest = DigestOf(path, request, control);
    if (!digest.ok()) return digest.status();
    digests.push_back(*std::move(digest));
  }
  absl::StatusOr<Facts> facts = CheckSources(request);
  if (!facts.ok()) return facts.status();
  absl::StatusOr<PreparedExamples> prepared = FindOrMakeExamples(
      request.cache_dir, Key(request, digests), control, [&](PosixFile& file) {
        absl::Status written = Write(request, *facts, &file, control);
        if (!written.ok()) return written;
        return CheckUnchanged(request, digests, control);
      });
  if (prepared.ok()) prepared->warnings = std::move(facts->warnings);
  return prepared;
}

}  // namespace hydra
