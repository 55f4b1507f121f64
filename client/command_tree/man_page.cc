#include "client/command_tree/man_page.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hydra {
namespace {

// A line that shows `text`, whatever it begins with. A plain "-" would be shown
// as a hyphen, which nobody can copy.
std::string Line(absl::string_view text) {
  const std::string escaped =
      absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
  const bool is_request =
      absl::StartsWith(escaped, ".") || absl::StartsWith(escaped, "'");
  return absl::StrCat(is_request ? "\\&" : "", escaped, "\n");
}

std::string NameOf(const CommandOption& option) {
  std::string name = absl::StrJoin(option.names, ", ");
  if (!name.empty() && !option.value.empty()) absl::StrAppend(&name, " ");
  return absl::StrCat(name, option.value);
}

std::string List(const std::vector<CommandOption>& options) {
  std::string text;
  for (const CommandOption& option : options) {
    absl::StrAppend(&text, ".TP\n.B ", Line(NameOf(option)), Line(option.help));
  }
  return text;
}

std::string Synopsis(const CommandVerb& verb) {
  std::string text = verb.name;
  for (const CommandOption& argument : verb.arguments) {
    const std::string name =
        absl::StrCat(argument.value, argument.may_repeat ? "..." : "");
    absl::StrAppend(&text, " ", argument.is_required ? "" : "[", name,
                    argument.is_required ? "" : "]");
  }
  return text;
}

// A footer's lines as they are. One that ends with a colon and begins at the
// left is a heading, and begins a section if they are.
std::string Footer(const std::string& footer, bool has_sections) {
  std::string text;
  bool is_open = false;
  for (absl::string_view line : absl::StrSplit(footer, '\n')) {
    const bool is_heading = absl::EndsWith(line, ":") &&
                            !absl::StartsWith(line, " ") && has_sections;
    if (is_heading) {
      absl::StrAppend(&text, is_open ? ".fi\n" : "", ".SH ",
                      Line(absl::AsciiStrToUpper(absl::StripSuffix(line, ":"))),
                      ".nf\n");
      is_open = true;
    } else if (!line.empty()) {
      if (!is_open) absl::StrAppend(&text, ".nf\n");
      is_open = true;
      absl::StrAppend(&text, Line(line));
    }
  }
  return absl::StrCat(text, is_open ? ".fi\n" : "");
}

}  // namespace

std::string ManPage(const CommandTree& tree, absl::string_view version) {
  std::string text = absl::StrCat(
      ".TH ", absl::AsciiStrToUpper(tree.program), " 1 \"\" \"Hydra ", version,
      "\" \"User Commands\"\n.SH NAME\n", tree.program, " \\- ",
      Line(absl::StripSuffix(tree.description, ".")), ".SH SYNOPSIS\n.B ",
      tree.program, "\n[OPTIONS] COMMAND [ARGUMENTS]\n.SH OPTIONS\n",
      List(tree.options), ".SH COMMANDS\n");
  for (const CommandVerb& verb : tree.verbs) {
    absl::StrAppend(&text, ".SS ", Line(Synopsis(verb)), Line(verb.description),
                    List(verb.arguments), List(verb.options), ".PP\n",
                    Footer(verb.footer, /*has_sections=*/false));
  }
  return absl::StrCat(text, Footer(tree.footer, /*has_sections=*/true),
                      ".SH SEE ALSO\n.BR hydrad (8)\n");
}

}  // namespace hydra
