#include "codec/avro/dialect.h"

#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "codec/avro/defaults.h"
#include "options/option_errors.h"

namespace leat {
namespace {

constexpr std::string_view kEncodings[] = {"container", "bare", "singleObject"};
constexpr std::string_view kCodecs[] = {"null", "deflate"};
// No schema that people write comes near.
constexpr size_t kLongestFile = 4 << 20;

constexpr Option kReadTable[] = {
    {.name = "encoding",
     .fallback = "container",
     .help =
         "container: files with their schema in them, also as messages. bare and singleObject: "
         "messages that are a record each, of a schema that is elsewhere; with singleObject its "
         "fingerprint says which.",
     .choices = kEncodings},
    {.name = "schema",
     .help = "File with the schema to read by: what was written by another one is made to fit, by "
             "the rules of Avro (promotion, defaults, aliases). Default: as it was written. Bare "
             "messages need it.",
     .path = true},
    {.name = "writerSchemas",
     .type = OptionType::kStrings,
     .help = "Files with the schemas by which single messages may have been written, beside "
             "`schema`. Bare messages are of one schema.",
     .path = true},
};

constexpr Option kWriteTable[] = {
    {.name = "encoding",
     .fallback = "container",
     .help = "container: a file, or a body of a request, with its schema in it. bare and "
             "singleObject: nothing but the records, with singleObject behind the fingerprint of "
             "their schema.",
     .choices = kEncodings},
    {.name = "schema",
     .help =
         "File with the schema to write by. A record that it does not fit becomes a dead letter. "
         "Default: made of the types of the first records, as the page of the formats says.",
     .path = true},
    {.name = "record", .fallback = "record", .help = "Without `schema`: the name of its record."},
    {.name = "codec",
     .fallback = "null",
     .help = "How blocks of a container are packed: not at all (null), or by deflate.",
     .choices = kCodecs},
};

AvroEncoding encoding_of(const Options& options) {
  const std::string& name = options.string("encoding");
  if (name == "bare") return AvroEncoding::kBare;
  return name == "singleObject" ? AvroEncoding::kSingleObject : AvroEncoding::kContainer;
}

Result<std::string> read_schema_file(const std::string& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (file == nullptr) return fail_errno("open " + path, errno);
  std::string out(kLongestFile + 1, '\0');
  out.resize(std::fread(out.data(), 1, out.size(), file.get()));
  if (std::ferror(file.get()) != 0) return fail_errno("read " + path, EIO);
  if (out.size() > kLongestFile) return fail(ErrorKind::kUsage, path + ": too long for a schema");
  return out;
}

Result<AvroSchemaRef> load(const Options& options, std::string_view option,
                           const std::string& path) {
  Result<std::string> json = read_schema_file(path);
  if (!json) return fail_option(options, option, json.error().message());
  Result<AvroSchemaRef> schema = AvroSchema::parse(*json);
  if (!schema) return fail_option(options, option, path + ": " + schema.error().message());
  if (Status good = avro_check_defaults(**schema); !good)
    return fail_option(options, option, path + ": " + good.error().message());
  return schema;
}

}  // namespace

constinit const std::span<const Option> kAvroReadOptions = kReadTable;
constinit const std::span<const Option> kAvroWriteOptions = kWriteTable;

std::string avro_hex(uint64_t fingerprint) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(fingerprint));
  return text;
}

Result<AvroDialect> AvroDialect::from(const Options& options) {
  AvroDialect out;
  out.encoding = encoding_of(options);
  if (options.has("schema")) {
    Result<AvroSchemaRef> schema = load(options, "schema", options.string("schema"));
    if (!schema) return fail(schema.error());
    out.schema = std::move(*schema);
  }
  const std::vector<std::string>& others = options.strings("writerSchemas");
  if (out.encoding == AvroEncoding::kContainer) {
    if (!others.empty())
      return fail_option(options, "writerSchemas",
                         "is for single messages: a container has its schema in it");
    return out;
  }
  if (out.schema == nullptr && others.empty())
    return fail_option(options, "schema",
                       "missing, and required for messages that have no schema in them");
  if (out.encoding == AvroEncoding::kBare && others.size() > 1)
    return fail_option(options, "writerSchemas",
                       "must be one, since nothing tells of which a bare message is");
  std::vector<AvroSchemaRef> writers;
  for (const std::string& path : others) {
    Result<AvroSchemaRef> schema = load(options, "writerSchemas", path);
    if (!schema) return fail(schema.error());
    writers.push_back(std::move(*schema));
  }
  if (out.schema != nullptr) writers.push_back(out.schema);
  for (const AvroSchemaRef& writer : writers) {
    Result<AvroPlanRef> plan = AvroPlan::make(writer, out.schema);
    if (!plan) return fail_option(options, "schema", plan.error().message());
    out.plans.emplace_back(avro_fingerprint(avro_canonical_form(*writer)), std::move(*plan));
  }
  return out;
}

Result<AvroWriting> AvroWriting::from(const Options& options) {
  AvroWriting out;
  out.encoding = encoding_of(options);
  out.record = options.string("record");
  out.deflate = options.string("codec") == "deflate";
  if (!is_avro_name(out.record))
    return fail_option(options, "record",
                       "must be a name of Avro, found " + json_quoted(out.record));
  if (options.has("schema")) {
    Result<AvroSchemaRef> schema = load(options, "schema", options.string("schema"));
    if (!schema) return fail(schema.error());
    if ((*schema)->root().type != AvroType::kRecord)
      return fail_option(options, "schema", "must be that of a record");
    out.schema = std::move(*schema);
  } else if (out.encoding != AvroEncoding::kContainer) {
    return fail_option(options, "schema",
                       "missing, and required for messages that have no schema in them");
  }
  return out;
}

}  // namespace leat
