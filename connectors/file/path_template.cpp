#include "connectors/file/path_template.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "base/folder.h"
#include "base/text.h"
#include "base/time_format.h"

namespace leat::file {
namespace {

constexpr std::string_view kTime = "_time";
constexpr std::string_view kNull = "__HIVE_DEFAULT_PARTITION__";
// A name has 255 bytes at most, and a path 4096. While a file is written ".part" comes to it, and a
// second one has a time in its name.
constexpr size_t kLongestFolder = 255;
constexpr size_t kLongestName = kLongestFolder - sizeof("-20260102T030405Z-0001.part") + 1;
constexpr size_t kLongestPath = 4000;

// As Hive's FileUtils.escapePathName.
void append_escaped(std::string& out, std::string_view value) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte != 0x7F && (c != '.' || i > 0) &&
        std::string_view("\"#%'*/:=?\\{[]^").find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

Status check_format(const Template::Piece& field) {
  for (size_t at = field.format.find('%'); at != std::string::npos;
       at = field.format.find('%', at + 2))
    if (at + 1 == field.format.size() ||
        std::string_view("%YmdHMSjyGVu").find(field.format[at + 1]) == std::string_view::npos)
      return fail(ErrorKind::kUsage, "\"{" + field.text + ":" + field.format +
                                         "}\" is no form of a time: %Y, %m, %d, %H, %M, %S, %j, "
                                         "%y, %G, %V, %u and %% can be in it");
  return {};
}

// In UTC. The form was checked.
void append_time(std::string& out, int64_t unix_us, const std::string& format) {
  const time_t seconds = unix_us / 1'000'000 - (unix_us % 1'000'000 < 0 ? 1 : 0);
  struct tm parts;
  gmtime_r(&seconds, &parts);
  char text[256];
  out.append(text, std::strftime(text, sizeof text, format.c_str(), &parts));
}

}  // namespace

Result<PathTemplate> PathTemplate::parse(std::string_view text) {
  Result<Template> parsed = Template::parse(text, /*formats=*/true);
  if (!parsed) return fail(parsed.error());
  PathTemplate out;
  out.text_ = std::move(*parsed);
  out.fields_ = out.text_.has_fields();
  out.plain_ = out.text_.literal();
  if (out.fields_) out.name_one_way();
  std::string before;
  for (const Template::Piece& piece : out.text_.pieces()) {
    if (piece.is_field) break;
    before += piece.text;
  }
  out.base_ = folder_of(before);
  if (out.fields_ && out.text_.pieces().back().text.ends_with('/'))
    return fail(ErrorKind::kUsage, "ends in a folder: a name of the file must follow");
  for (const Template::Piece& piece : out.text_.pieces()) {
    if (!piece.is_field) continue;
    if (piece.format.empty() && piece.text == kTime)
      return fail(ErrorKind::kUsage,
                  "\"{_time}\" needs a form, such as \"{_time:%Y-%m-%d}\" for a folder a day");
    if (Status fit = check_format(piece); !fit) return fail(fit.error());
  }
  return out;
}

// What lies in a folder is found by the name that is written: absolute, and without "//".
void PathTemplate::name_one_way() {
  std::vector<Template::Piece>& pieces = text_.pieces();
  char* cwd = pieces.front().text.starts_with('/') && !pieces.front().is_field
                  ? nullptr
                  : ::getcwd(nullptr, 0);
  if (cwd != nullptr) pieces.insert(pieces.begin(), {.text = std::string(cwd) + "/"});
  std::free(cwd);
  for (Template::Piece& piece : pieces)
    for (size_t at; !piece.is_field && (at = piece.text.find("//")) != std::string::npos;)
      piece.text.erase(at, 1);
}

std::string PathTemplate::pattern() const {
  std::string out;
  for (const Template::Piece& piece : text_.pieces()) {
    // A form of a time may make folders.
    const std::string_view text = piece.is_field ? std::string_view(piece.format) : piece.text;
    if (piece.is_field && !out.ends_with('*')) out += '*';
    for (char c : text) {
      if (piece.is_field) {
        if (c == '/') out += "/*";
      } else if (std::string_view("*?[{\\").find(c) != std::string_view::npos) {
        out += {'[', c, ']'};
      } else {
        out += c;
      }
    }
  }
  return out;
}

Status PathTemplate::find(const Record& record) {
  path_.clear();
  for (Template::Piece& piece : text_.pieces()) {
    if (!piece.is_field)
      path_ += piece.text;
    else if (Status done = append(piece, record); !done)
      return done;
  }
  return check_lengths();
}

Status PathTemplate::append(Template::Piece& field, const Record& record) {
  if (field.text == kTime) {
    if (!can_be_written(record.time_us))
      return fail(ErrorKind::kData, "its time is not in the years 1 to 9999");
    append_time(path_, record.time_us, field.format);
    return {};
  }
  const Value* value = Template::find(field, record);
  if (value == nullptr) missed_ = field.text;
  value_.clear();
  if (value != nullptr && value->form == Form::kPlain && value->is_text())
    value_ = value->view();
  else if (value != nullptr)
    append_text(value_, *value);
  if (value_.empty()) {  // null, too
    path_ += kNull;
  } else if (field.format.empty()) {
    append_escaped(path_, value_);
  } else {
    static const TimeFormat kRfc3339 = *TimeFormat::parse("rfc3339");
    std::optional<int64_t> time =
        value->type == Type::kTime ? std::optional(value->integer) : kRfc3339.read(value_);
    if (!time || !can_be_written(*time))
      return fail(ErrorKind::kData, excerpt(field.text) + ": \"" + excerpt(value_) +
                                        "\" is no time, as the path of its file needs it");
    append_time(path_, *time, field.format);
  }
  return {};
}

Status PathTemplate::check_lengths() const {
  size_t begin = 0;
  bool fits = path_.size() <= kLongestPath;
  for (size_t slash; fits && (slash = path_.find('/', begin)) != std::string::npos;
       begin = slash + 1)
    fits = slash - begin <= kLongestFolder;
  if (fits && path_.size() - begin <= kLongestName) return {};
  return fail(ErrorKind::kData, "the path of its file is too long: " + excerpt(path_));
}

}  // namespace leat::file
