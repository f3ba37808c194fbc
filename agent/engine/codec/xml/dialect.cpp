#include "codec/xml/dialect.h"

#include <algorithm>

#include "base/text.h"
#include "options/option_errors.h"

namespace leat {
namespace {

constexpr std::string_view kTypes[] = {"infer", "string"};
constexpr std::string_view kXmlEncodings[] = {"utf-8", "latin1"};

constexpr Option kOptions[] = {
    {.name = "record",
     .help = "The elements that are records, as the path to them from the root: /orders/order. A "
             "document of any size is then read one by one. Names are without prefixes. Default: "
             "the root of each document is one record."},
    {.name = "types",
     .fallback = "infer",
     .help = "infer takes numbers as JSON writes them, true and false as what they look like; "
             "string takes all text as it is.",
     .choices = kTypes},
    {.name = "arrays",
     .type = OptionType::kStrings,
     .help = "Names of elements that are read as an array, also where there is only one of them. "
             "Others are one where they are repeated."},
    {.name = "namespaces",
     .type = OptionType::kMap,
     .help = "The prefix that names of a namespace have as fields, whatever the document calls it: "
             "{\"o\": \"urn:example:orders\"}; \"\" for none. Names of other namespaces stay as "
             "they are written."},
    {.name = "encoding",
     .fallback = "utf-8",
     .help = "The characters of the input. Text of latin1 becomes utf-8.",
     .choices = kXmlEncodings},
};

bool same_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? x | 0x20 : x) == (y >= 'A' && y <= 'Z' ? y | 0x20 : y);
  });
}

Result<XmlPath> path_of(const Options& options) {
  XmlPath path;
  const std::string& text = options.string("record");
  if (text.empty()) return path;
  auto refuse = [&](const std::string& wanted) {
    return fail_option(options, "record", "must be " + wanted + ", found " + json_quoted(text));
  };
  if (text[0] != '/') return refuse("a path from the root such as \"/orders/order\"");
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('/', at + 1), text.size());
    path.steps.push_back(text.substr(at + 1, end - at - 1));
    if (!is_xml_name(path.steps.back()) || path.steps.back().find(':') != std::string::npos)
      return refuse("names of elements without prefixes, each behind a \"/\"");
    at = end;
  }
  // What begins a document must be told from what begins a record.
  if (path.steps.size() > 1 && path.steps.front() == path.steps.back())
    return refuse("another name for the record than for the root");
  return path;
}

}  // namespace

const std::span<const Option> kXmlReadOptions = kOptions;

Result<XmlDialect> XmlDialect::from(const Options& options) {
  Result<XmlPath> path = path_of(options);
  if (!path) return fail(path.error());
  XmlDialect dialect;
  dialect.path = std::move(*path);
  dialect.infer = options.string("types") != "string";
  dialect.arrays = options.strings("arrays");
  dialect.namespaces = options.map("namespaces");
  dialect.latin1 = options.string("encoding") == "latin1";
  return dialect;
}

bool XmlDialect::is_encoding(std::string_view declared) const {
  auto is = [declared](std::string_view name) { return same_without_case(declared, name); };
  if (is("us-ascii")) return true;
  return latin1 ? is("iso-8859-1") || is("latin1") : is("utf-8") || is("utf8");
}

std::string_view local_name(std::string_view name) {
  const size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

bool is_xml_name(std::string_view name) {
  auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  return !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

}  // namespace leat
