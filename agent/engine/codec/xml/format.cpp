#include "stage/format.h"
#include "base/text.h"
#include "codec/xml/decoder.h"
#include "codec/xml/dialect.h"
#include "codec/xml/encoder.h"
#include "codec/xml/framing.h"
#include "options/option_errors.h"

namespace leat {
namespace {

constexpr Option kWriteOptions[] = {
    {.name = "root",
     .fallback = "records",
     .help = "The element around all records of a document."},
    {.name = "record", .fallback = "record", .help = "The element that each record is."},
    {.name = "attributes",
     .type = OptionType::kMap,
     .help = "Attributes of the root, such as {\"xmlns\": \"urn:example:orders\"}."},
};

std::unique_ptr<Framing> framing(const Options& options) {
  // Bad options are reported by the decoder's maker; there is nothing to frame then.
  Result<XmlDialect> dialect = XmlDialect::from(options);
  return std::make_unique<XmlFraming>(dialect ? dialect->path : XmlPath());
}

Result<std::unique_ptr<Decoder>> decoder(const Options& options) {
  Result<XmlDialect> dialect = XmlDialect::from(options);
  if (!dialect) return fail(dialect.error());
  return std::make_unique<XmlDecoder>(std::move(*dialect));
}

bool needs_preamble(const Options& options) {
  Result<XmlDialect> dialect = XmlDialect::from(options);
  return dialect && XmlDecoder::needs_preamble(*dialect);
}

void append_attribute(std::string& out, const std::string& name, const std::string& value) {
  out += ' ' + name + "=\"";
  for (char c : value)
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '"' ? "&quot;" : std::string(1, c);
  out += '"';
}

Result<std::unique_ptr<Encoder>> encoder(const Options& options) {
  for (const char* name : {"root", "record"})
    if (!is_xml_name(options.string(name)))
      return fail_option(
          options, name,
          "must be a name of an element, found " + json_quoted(options.string(name)));
  const std::string& root = options.string("root");
  std::string open = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" + root;
  for (const auto& [name, value] : options.map("attributes")) {
    if (!is_xml_name(name))
      return fail_option(options, "attributes",
                         "must have names of attributes, found " + json_quoted(name));
    append_attribute(open, name, value);
  }
  return std::make_unique<XmlEncoder>(options.string("record"), open + ">\n", "</" + root + ">\n");
}

const ReadFormat kRead = {
    .name = "xml",
    .wire = "xml",
    .help = "Elements of XML documents, each a record.",
    .options_name = "xml",
    .options = kXmlReadOptions,
    .make_framing = framing,
    .make_decoder = decoder,
    .needs_preamble = needs_preamble,
    // What is read has other names around it than what is written.
    .passes_through = [](const Options&) { return false; },
};

const WriteFormat kWrite = {
    .name = "xml",
    .wire = "xml",
    .media = "application/xml",
    .suffix = "xml",
    .help = "An XML document, a record an element.",
    .options_name = "xml",
    .options = kWriteOptions,
    .close = "</records>\n",
    .read_as = "xml",
    .make_encoder = encoder,
    .header =
        [](const Encoder& encoder) { return static_cast<const XmlEncoder&>(encoder).opening(); },
    .footer =
        [](const Encoder& encoder) { return static_cast<const XmlEncoder&>(encoder).closing(); },
};

constexpr const ReadFormat* kReads[] = {&kRead};
constexpr const WriteFormat* kWrites[] = {&kWrite};

}  // namespace

extern constexpr Format kXmlFormat{.name = "xml", .reads = kReads, .writes = kWrites};

}  // namespace leat
