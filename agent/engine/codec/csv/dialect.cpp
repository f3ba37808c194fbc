#include "codec/csv/dialect.h"

#include <algorithm>

#include "base/text.h"
#include "codec/text/gbk.h"
#include "options/option_errors.h"

namespace leat {
namespace {

constexpr std::string_view kTypes[] = {"bool",   "integer", "float", "decimal",
                                       "string", "time",    "bytes"};
constexpr std::string_view kUnlisted[] = {"infer", "string"};
constexpr std::string_view kMissing[] = {"deadLetter", "null"};

constexpr Option kColumnOptions[] = {
    {.name = "index",
     .type = OptionType::kInteger,
     .help = "Place of the column in the row, counted from 0. Default: found by name in the "
             "header, or without header the place in this list.",
     .max = 65535},
    {.name = "name", .required = true, .help = "Name of the field."},
    {.name = "type",
     .fallback = "string",
     .help = "Type of the field. Empty unquoted fields of any type but string and bytes are null.",
     .choices = kTypes},
    {.name = "format",
     .fallback = "rfc3339",
     .help = "For type time: rfc3339, unix, unixMs, unixUs, unixNs, or a pattern such as "
             "%Y-%m-%d %H:%M:%S."},
};

// The two that reading and writing have in common.
constexpr Option kDelimiter = {
    .name = "delimiter", .fallback = ",", .help = "One character between fields; \\t for a tab."};
constexpr Option kQuote = {.name = "quote",
                           .fallback = "\"",
                           .help = "The quote character, doubled inside quotes; \"\" for none."};

constexpr Option kReadTable[] = {
    kDelimiter,
    kQuote,
    {.name = "header",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "The first row holds the names. Without, fields come from `columns`, or are named "
             "column0, column1 and so on."},
    {.name = "startRow",
     .type = OptionType::kInteger,
     .fallback = "1",
     .help = "Line, counted from 1, where reading starts; the header is read there.",
     .min = 1},
    {.name = "comment", .help = "Lines that start with this are skipped, such as #."},
    {.name = "nullFormat",
     .help = "Unquoted fields with this text are null. Empty unquoted fields are null in any case "
             "where the column's type is not string or bytes."},
    {.name = "types",
     .fallback = "infer",
     .help = "Columns that are not listed: infer takes unquoted JSON numbers, true and false as "
             "what they look like and empty as null; string takes everything as it is.",
     .choices = kUnlisted},
    {.name = "missingFields",
     .fallback = "deadLetter",
     .help = "A row with fewer fields than the header has, or than `columns` asks for: a dead "
             "letter, for it may be torn; or its last fields are null.",
     .choices = kMissing},
    kEncodingOption,
    kInvalidTextOption,
    {.name = "columns",
     .type = OptionType::kObjects,
     .help = "Columns with a type. Without header these are the only fields of a record.",
     .fields = kColumnOptions},
    {.name = "otherColumns",
     .type = OptionType::kBool,
     .fallback = "false",
     .help = "Without header: columns that are not listed are fields, too, named column0 and so "
             "on by their place."},
};

constexpr Option kWriteTable[] = {
    kDelimiter,
    kQuote,
    {.name = "header",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "Write the names as the first row of each document."},
    {.name = "columns",
     .type = OptionType::kStrings,
     .help = "Fields to write, in order. Default: those of the first record. A record with other "
             "fields becomes a dead letter."},
    {.name = "nullFormat",
     .help = "What is written for null and for a field that is not there. Default: nothing."},
#ifdef LEAT_ENCODINGS
    kWrittenEncodingOption,
#endif
};

// A character that may stand in a number cannot separate fields: "1-2" would be ambiguous, and the
// decoder scans numbers up to the first character that is not of one.
bool may_separate(char c) {
  constexpr std::string_view kNever = "0123456789+-.eE\r\n";
  return kNever.find(c) == std::string_view::npos;
}

Status read_separators(const Options& options, CsvDialect& dialect) {
  OptionErrors errors;
  std::string delimiter = options.string("delimiter");
  if (delimiter == "\\t") delimiter = "\t";
  if (delimiter.size() != 1 || !may_separate(delimiter[0]))
    errors.add({.kind = Problem::Kind::kChoice,
                .path = options.path("delimiter"),
                .wanted = "one character (\\t for a tab) that is not part of numbers",
                .found = json_quoted(options.string("delimiter"))});
  else
    dialect.delimiter = delimiter[0];

  const std::string& quote = options.string("quote");
  dialect.quoting = !quote.empty();
  if (quote.size() > 1 || quote == delimiter || (dialect.quoting && !may_separate(quote[0])))
    errors.add({.kind = Problem::Kind::kChoice,
                .path = options.path("quote"),
                .wanted = "one character other than the delimiter and those of numbers, or empty",
                .found = json_quoted(quote)});
  else if (dialect.quoting)
    dialect.quote = quote[0];
  dialect.header = options.boolean("header");
  return errors.status();
}

// What separates and quotes must not stand within a character.
void check_halves(const Options& options, OptionErrors& errors) {
  if (options.string("encoding") != "gbk") return;
  for (const char* name : {"delimiter", "quote"})
    if (const std::string& one = options.string(name);
        one.size() == 1 && static_cast<unsigned char>(one[0]) >= Gbk::kFirstOfSecond)
      errors.add(options, name, "may be half of a character of gbk");
}

#ifdef LEAT_ENCODINGS
// What is written whatever the records are.
void check_written(const Options& options, const TextWriter& writer, OptionErrors& errors) {
  const auto look = [&](const std::string& name, std::string text) {
    if (!writer.converts()) return;
    if (Result<size_t> size = writer.write(text.data(), text.size()); !size)
      errors.add(options, name, size.error().message());
  };
  look("nullFormat", options.string("nullFormat"));
  const std::vector<std::string>& columns = options.strings("columns");
  for (size_t i = 0; i < columns.size() && options.boolean("header"); ++i)
    look(path_of_index("columns", i), columns[i]);
}
#endif

Type type_of(std::string_view name) {
  for (Type type :
       {Type::kBool, Type::kInteger, Type::kFloat, Type::kDecimal, Type::kTime, Type::kBytes})
    if (name == type_name(type)) return type;
  return Type::kString;
}

Result<CsvColumn> read_column(const Options& options) {
  CsvColumn column;
  column.name = options.string("name");
  if (options.has("index")) column.index = static_cast<uint32_t>(options.integer("index"));
  column.type = type_of(options.string("type"));
  if (column.type == Type::kTime) {
    Result<TimeFormat> format = TimeFormat::parse(options.string("format"));
    if (!format) return fail_option(options, "format", format.error().message());
    column.time = *format;
  }
  return column;
}

// Without a header, columns are either all placed by index or all by their order: a mixture would
// have to be guessed.
Status check_columns(const Options& options, CsvDialect& dialect) {
  OptionErrors errors;
  std::vector<CsvColumn>& columns = dialect.columns;
  auto placed = static_cast<size_t>(std::count_if(
      columns.begin(), columns.end(), [](const CsvColumn& column) { return column.index; }));
  if (!dialect.header && placed != 0 && placed != columns.size())
    errors.add(options, "columns", "without header, give `index` to all columns or to none");
  if (dialect.others && (dialect.header || placed != columns.size()))
    errors.add(options, "otherColumns", "is for columns with `index`, and without header");
  for (size_t i = 0; i < columns.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (columns[i].name == columns[j].name)
        errors.add(options, path_of_index("columns", i) + ".name",
                   "two columns are named '" + columns[i].name + "'", Problem::Kind::kTwice);
      if (columns[i].index && columns[i].index == columns[j].index)
        errors.add(options, "columns",
                   "two columns have index " + std::to_string(*columns[i].index));
    }
  }
  return errors.status();
}

}  // namespace

const std::span<const Option> kCsvReadOptions = kReadTable;
const std::span<const Option> kCsvWriteOptions = kWriteTable;

Result<CsvDialect> CsvDialect::for_reading(const Options& options) {
  CsvDialect dialect;
  OptionErrors errors;
  (void)errors.good(read_separators(options, dialect));
  dialect.start_row = static_cast<uint64_t>(options.integer("startRow"));
  dialect.comment = options.string("comment");
  if (options.has("nullFormat")) dialect.null = options.string("nullFormat");
  dialect.infer = options.string("types") == "infer";
  dialect.missing_is_null = options.string("missingFields") == "null";
  (void)errors.good(TextReader::check(options));
  dialect.text = TextReader(options);
  check_halves(options, errors);
  for (const char* name : {"comment", "nullFormat"})  // looked for among the input's bytes
    if (!dialect.text.is_plain(options.string(name)))
      errors.add(options, name, "must be ASCII with encoding " + options.string("encoding"));
  for (const Options& entry : options.objects("columns")) {
    Result<CsvColumn> column = read_column(entry);
    if (errors.good(column)) dialect.columns.push_back(std::move(*column));
  }
  dialect.others = options.boolean("otherColumns");
  (void)errors.good(check_columns(options, dialect));
  if (Status status = errors.status(); !status) return fail(status.error());
  return dialect;
}

Result<CsvDialect> CsvDialect::for_writing(const Options& options) {
  CsvDialect dialect;
  OptionErrors errors;
  (void)errors.good(read_separators(options, dialect));
  const std::vector<std::string>& columns = options.strings("columns");
  for (size_t i = 0; i < columns.size(); ++i)
    if (dialect.header && !dialect.can_name(columns[i]))
      errors.add(options, path_of_index("columns", i),
                 "'" + excerpt(columns[i]) + "' cannot be written in a header without quotes");
#ifdef LEAT_ENCODINGS
  check_halves(options, errors);
  if (Status there = TextWriter::check(options); errors.good(there)) {
    dialect.written = TextWriter(options);
    check_written(options, dialect.written, errors);
  }
#endif
  if (Status status = errors.status(); !status) return fail(status.error());
  return dialect;
}

}  // namespace leat
