#include "scheduler/http/page.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "common/hash/sha256.h"

namespace hydra {
namespace {

// Made of the files in page/.
constexpr char kHtml[] =
#include "scheduler/http/page_html.inc"
    ;
constexpr char kStyle[] =
#include "scheduler/http/page_css.inc"
    ;
constexpr char kScript[] =
#include "scheduler/http/page_js.inc"
    ;

// As a policy names an inline style or script.
std::string Source(absl::string_view content) {
  Sha256 hash;
  hash.Update(content);
  return absl::StrCat("'sha256-", absl::Base64Escape(hash.Finish()), "'");
}

}  // namespace

HttpResponse PageResponse() {
  HttpResponse page;
  page.content_type = "text/html; charset=utf-8";
  page.body = absl::StrReplaceAll(
      kHtml, {{"/*STYLE*/", kStyle}, {"/*SCRIPT*/", kScript}});
  page.headers.emplace_back(
      "Content-Security-Policy",
      absl::StrCat("default-src 'none'; connect-src 'self'; img-src data:; "
                   "style-src ",
                   Source(kStyle), "; script-src ", Source(kScript),
                   "; base-uri 'none'; form-action 'none'; "
                   "frame-ancestors 'none'"));
  return page;
}

}  // namespace hydra
