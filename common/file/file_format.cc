#include "common/file/file_format.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace hydra {
namespace {

// A literal with all of its bytes, zeros too.
template <size_t kSize>
constexpr absl::string_view Bytes(const char (&literal)[kSize]) {
  return {literal, kSize - 1};
}

constexpr absl::string_view kUnpack = "unpack it and name what was in it";
constexpr absl::string_view kToText = "convert it to plain UTF-8 text";
constexpr absl::string_view kToSafetensors =
    "convert it to safetensors: open it with transformers and call "
    "save_pretrained()";
constexpr absl::string_view kToUtf8 =
    "convert it to UTF-8, for example with iconv";
constexpr absl::string_view kNotGguf =
    "download the model's safetensors in its place";
constexpr absl::string_view kWrongFile = "name the file that was meant";

// A format that has the same bytes at the same place of every file.
struct Signature {
  size_t offset;
  absl::string_view bytes;
  FileFormat format;
};

constexpr int Length(absl::string_view bytes) {
  return static_cast<int>(bytes.size());
}

constexpr Signature Binary(absl::string_view bytes, absl::string_view name,
                           absl::string_view remedy, size_t offset = 0) {
  return {offset, bytes, {name, remedy, false, Length(bytes)}};
}

// Where one signature begins like another, the longer one comes first.
constexpr Signature kSignatures[] = {
    Binary(Bytes("version https://git-lfs.github.com/spec/"),
           "a Git LFS pointer",
           "its content was not downloaded: run 'git lfs pull' in its "
           "repository"),
    Binary(Bytes("version https://hawser.github.com/spec/"),
           "a Git LFS pointer",
           "its content was not downloaded: run 'git lfs pull' in its "
           "repository"),
    Binary(Bytes("\x1f\x8b\x08"), "gzip data", kUnpack),
    Binary(Bytes("1AY&SY"), "bzip2 data", kUnpack, 4),
    Binary(Bytes("\xfd"
                 "7zXZ\0"),
           "xz data", kUnpack),
    Binary(Bytes("\x28\xb5\x2f\xfd"), "zstd data", kUnpack),
    Binary(Bytes("\x04\x22\x4d\x18"), "lz4 data", kUnpack),
    Binary(Bytes("7z\xbc\xaf\x27\x1c"), "a 7z archive", kUnpack),
    Binary(Bytes("Rar!\x1a\x07"), "a RAR archive", kUnpack),
    Binary(Bytes("ustar"), "a tar archive", kUnpack, 257),
    Binary(Bytes("\x93NUMPY"), "a NumPy .npy file",
           "write its ids with ndarray.tofile() as uint16 or uint32"),
    Binary(Bytes("\x89HDF\r\n\x1a\n"), "an HDF5 file", kToSafetensors),
    Binary(Bytes("GGUF\x02\0\0\0"), "a GGUF file", kNotGguf),
    Binary(Bytes("GGUF\x03\0\0\0"), "a GGUF file", kNotGguf),
    Binary(Bytes("PAR1"), "a Parquet file", kToText),
    Binary(Bytes("ARROW1\0\0"), "an Arrow file", kToText),
    Binary(Bytes("FEA1"), "a Feather file", kToText),
    Binary(Bytes("SQLite format 3\0"), "an SQLite database", kToText),
    Binary(Bytes("%PDF-"), "a PDF document", kToText),
    Binary(Bytes("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "an Office document",
           kToText),
    Binary(Bytes("\x7f"
                 "ELF"),
           "an ELF program", kWrongFile),
    Binary(Bytes("\x89PNG\r\n\x1a\n"), "a PNG image", kWrongFile),
    Binary(Bytes("\xff\xd8\xff"), "a JPEG image", kWrongFile),
    Binary(Bytes("GIF87a"), "a GIF image", kWrongFile),
    Binary(Bytes("GIF89a"), "a GIF image", kWrongFile),
    Binary(Bytes("\0\x05\x16\x07"), "a macOS resource fork", kWrongFile),
    Binary(Bytes("\xff\xfe\0\0"), "UTF-32 text", kToUtf8),
    Binary(Bytes("\0\0\xfe\xff"), "UTF-32 text", kToUtf8),
    Binary(Bytes("\xff\xfe"), "UTF-16 text", kToUtf8),
    Binary(Bytes("\xfe\xff"), "UTF-16 text", kToUtf8),
};

constexpr FileFormat kTorchZip = {
    "a PyTorch checkpoint (a pickle in a zip archive)", kToSafetensors, false,
    8};
constexpr FileFormat kZip = {"a zip archive", kUnpack, false, 4};
constexpr FileFormat kPickle = {"a pickle, as torch.save writes it",
                                kToSafetensors, false, 3};
constexpr FileFormat kSafetensors = {kSafetensorsName,
                                     "name it as a model's weights", false, 8};
constexpr FileFormat kBareUtf16 = {"UTF-16 text without a byte order mark",
                                   kToUtf8, false, 0};
constexpr FileFormat kHtml = {
    "an HTML page",
    "it may be a sign-in or error page: download the file itself", true, 5};
constexpr FileFormat kXml = {"XML", kWrongFile, true, 5};
constexpr FileFormat kJson = {kJsonName, "", true, 2};

const FileFormat* Sign(absl::string_view head) {
  for (const Signature& signature : kSignatures) {
    if (head.size() >= signature.offset + signature.bytes.size() &&
        head.substr(signature.offset, signature.bytes.size()) ==
            signature.bytes) {
      return &signature.format;
    }
  }
  return nullptr;
}

// torch.save writes a zip archive whose first member is <name>/data.pkl.
const FileFormat* ZipKind(absl::string_view head) {
  if (!absl::StartsWith(head, "PK\x03\x04")) return nullptr;
  return absl::StrContains(head, "/data.pkl") ? &kTorchZip : &kZip;
}

// PROTO 2 to 5, and an opcode that begins what is usually pickled: a number, a
// dictionary, a tuple, a global, a frame.
bool IsPickle(absl::string_view head) {
  return head.size() >= 3 && head[0] == '\x80' && head[1] >= 2 &&
         head[1] <= 5 &&
         absl::StrContains(Bytes("\x8a}(c\x95]"), head.substr(2, 1));
}

bool IsSafetensors(absl::string_view head) {
  if (head.size() < 10) return false;
  // The header's length, little endian, below 2^32.
  return head.substr(4, 4) == Bytes("\0\0\0\0") && head[8] == '{' &&
         (head[9] == '"' || head[9] == '}');
}

// ASCII in UTF-16: every second byte is 0, and hardly any other.
bool IsBareUtf16(absl::string_view head) {
  if (head.size() < 16) return false;
  size_t zeros[2] = {0, 0};
  for (size_t i = 0; i < head.size(); ++i) zeros[i % 2] += head[i] == '\0';
  const size_t half = head.size() / 2;
  return (zeros[0] * 10 > half * 8 && zeros[1] * 10 < half) ||
         (zeros[1] * 10 > half * 8 && zeros[0] * 10 < half);
}

// Without white space and a byte order mark before the first character.
const FileFormat* TextKind(absl::string_view head) {
  absl::string_view text = head;
  text = absl::StripPrefix(text, "\xef\xbb\xbf");
  text = absl::StripLeadingAsciiWhitespace(text);
  for (absl::string_view begin : {"<!doctype html", "<html", "<head"}) {
    if (absl::StartsWithIgnoreCase(text, begin)) return &kHtml;
  }
  if (absl::StartsWith(text, "<?xml")) return &kXml;
  if (text.empty() || (text[0] != '{' && text[0] != '[')) return nullptr;
  const absl::string_view next =
      absl::StripLeadingAsciiWhitespace(text.substr(1));
  if (next.empty()) return nullptr;
  const bool is_json =
      text[0] == '{' ? next[0] == '"' : next[0] == '{' || next[0] == '"';
  return is_json ? &kJson : nullptr;
}

}  // namespace

const FileFormat* RecogniseFormat(absl::string_view head) {
  head = head.substr(0, kFormatHeadBytes);
  if (const FileFormat* format = Sign(head)) return format;
  if (const FileFormat* format = ZipKind(head)) return format;
  if (IsPickle(head)) return &kPickle;
  if (IsSafetensors(head)) return &kSafetensors;
  if (IsBareUtf16(head)) return &kBareUtf16;
  return TextKind(head);
}

std::string Describe(const FileFormat& format) {
  if (format.remedy.empty()) return std::string(format.name);
  return absl::StrCat(format.name, "; ", format.remedy);
}

absl::StatusOr<std::string> ReadHead(const UniqueFd& fd,
                                     absl::string_view path) {
  const absl::StatusOr<int64_t> bytes = FileBytes(fd, path);
  if (!bytes.ok()) return bytes.status();
  std::string head(std::min(*bytes, kFormatHeadBytes), '\0');
  const absl::Status read = ReadExactly(fd, path, 0, head.size(), head.data());
  if (!read.ok()) return read;
  return head;
}

}  // namespace hydra
