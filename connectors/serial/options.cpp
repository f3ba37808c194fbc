#include "connectors/serial/options.h"

#include <algorithm>
#include <utility>

#include "base/units.h"
#include "connectors/serial/bytes_text.h"
#include "options/option_errors.h"

namespace leat::serial {
namespace {

constexpr std::string_view kParities[] = {"none", "odd", "even", "mark", "space"};
constexpr std::string_view kFlowControls[] = {"none", "rtscts", "xonxoff", "dtrdsr"};
constexpr std::string_view kFrameTypes[] = {"line", "delimiter", "length", "startEnd", "gap"};
constexpr std::string_view kEscapeStyles[] = {"literal", "hdlc", "slip"};
constexpr std::string_view kChecksums[] = {"none", "crc16modbus", "xor", "nmea"};

constexpr size_t kLongestMarker = 64;  // bytes

constexpr Option kFramingOptions[] = {
    {.name = "type",
     .fallback = "line",
     .help = "What ends a frame: a line end, a `delimiter`, its `length`, the `end` behind a "
             "`start`, or a `gap` of silence.",
     .choices = kFrameTypes},
    {.name = "delimiter",
     .help = "Bytes that end a frame: text with escapes (`\\r\\n`, `\\x03`) or hex (`0x0D0A`)."},
    {.name = "length",
     .type = OptionType::kInteger,
     .help = "Bytes of a frame, with its checksum; `start` is not counted.",
     .min = 1,
     .max = 1024 * 1024},
    {.name = "start",
     .help = "Bytes that begin a frame; what comes before them is skipped. With `startEnd`, and "
             "if you like with `length`."},
    {.name = "end", .help = "Bytes that end a frame, with `startEnd`."},
    {.name = "escape",
     .help = "A byte behind which `delimiter`, `start` and `end` do not count; `escapeStyle` says "
             "what it makes of the next byte."},
    {.name = "escapeStyle",
     .fallback = "literal",
     .help =
         "`literal`: the next byte stands for itself. `hdlc`: its bit 5 is inverted (RFC 1662). "
         "`slip`: 0xDC stands for 0xC0, 0xDD for 0xDB (RFC 1055).",
     .choices = kEscapeStyles},
    {.name = "gap",
     .type = OptionType::kDuration,
     .help = "Silence that ends a frame (`gap`). With the other types: silence behind which the "
             "rest of half a frame is not waited for.",
     .min = 1,
     .max = 3'600'000},
    {.name = "maxLength",
     .type = OptionType::kBytes,
     .fallback = "64KiB",
     .help = "A longer frame becomes a dead letter (its first 1 KiB is kept).",
     .min = 1,
     .max = 1024 * 1024},
    {.name = "skipFirst",
     .type = OptionType::kBool,
     .fallback = "false",
     .help =
         "Drop the first frame after the port was opened: it may have begun before, and without "
         "a checksum nobody would notice."},
};

constexpr Option kPollOptions[] = {
    {.name = "request",
     .required = true,
     .help = "Bytes to send: text with escapes or hex, as in `framing.delimiter`. A checksum it "
             "needs is part of it."},
    {.name = "every",
     .type = OptionType::kDuration,
     .fallback = "1s",
     .help = "From one request to the next; later when the answer takes longer.",
     .min = 1},
    {.name = "timeout",
     .type = OptionType::kDuration,
     .fallback = "1s",
     .help = "How long an answer may take to be complete.",
     .min = 1},
};

constexpr Option kOptions[] = {
    {.name = "port",
     .required = true,
     .help = "Path of the port, such as \"/dev/ttyUSB0\" or, better where several are plugged in, "
             "its name under /dev/serial/by-id. `leat ports` lists them.",
     .path = true,
     .example = "\"/dev/ttyUSB0\"",
     .once = "what one of them reads the other does not get"},
    {.name = "baudRate",
     .type = OptionType::kInteger,
     .fallback = "9600",
     .help = "Bits per second; any that the driver can make.",
     .min = 50,
     .max = 50'000'000},
    {.name = "dataBits",
     .type = OptionType::kInteger,
     .fallback = "8",
     .help = "Bits of a byte.",
     .min = 5,
     .max = 8},
    {.name = "parity", .fallback = "none", .help = "The parity bit.", .choices = kParities},
    {.name = "stopBits",
     .type = OptionType::kInteger,
     .fallback = "1",
     .help = "Bits between bytes.",
     .min = 1,
     .max = 2},
    {.name = "flowControl",
     .fallback = "none",
     .help = "How the device is held when the pipeline cannot take more. With `none` its bytes are "
             "lost once the kernel's buffer is full.",
     .choices = kFlowControls},
    {.name = "framing",
     .type = OptionType::kObject,
     .help = "How the bytes are cut into frames, each of which is a message.",
     .fields = kFramingOptions},
    {.name = "checksum",
     .fallback = "none",
     .help = "What each frame ends in; it is checked and taken off. `crc16modbus`: 2 bytes, low "
             "byte first. `xor`: one byte. `nmea`: `*` and two hex digits.",
     .choices = kChecksums},
    {.name = "poll",
     .type = OptionType::kObject,
     .help = "For devices that speak only when asked.",
     .fields = kPollOptions},
};

template <typename E, size_t N>
E chosen(const std::string_view (&names)[N], const std::string& name) {
  return static_cast<E>(std::find(names, names + N, name) - names);
}

// Bytes of an option that must not be empty.
Result<std::string> byte_text(const Options& options, std::string_view name, size_t most) {
  Result<std::string> bytes = parse_byte_text(options.string(name));
  if (!bytes) return fail_option(options, name, bytes.error().message());
  if (bytes->empty()) return fail_option(options, name, "must not be empty", Problem::Kind::kEmpty);
  if (bytes->size() > most)
    return fail_option({.kind = Problem::Kind::kRange,
                        .path = options.path(name),
                        .wanted = "at most " + format_count(most, "byte"),
                        .found = format_count(bytes->size(), "byte")});
  return bytes;
}

struct Use {
  std::string_view name;
  std::initializer_list<FrameType> needed_by;
  std::initializer_list<FrameType> taken_by = {};
};

bool among(std::initializer_list<FrameType> types, FrameType type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

// Each type has options of its own; those of another would do nothing.
Status check_use(const Options& framing, FrameType type) {
  using enum FrameType;
  const Use kUses[] = {{"delimiter", {kDelimiter}},
                       {"length", {kLength}},
                       {"start", {kStartEnd}, {kLength}},
                       {"end", {kStartEnd}},
                       {"escape", {}, {kDelimiter, kStartEnd}},
                       {"gap", {kGap}, {kLine, kDelimiter, kLength, kStartEnd}}};
  std::string of_type = "\"type\": \"" + framing.string("type") + "\"";
  OptionErrors errors;
  for (const Use& use : kUses) {
    bool needed = among(use.needed_by, type);
    if (needed && !framing.has(use.name))
      errors.add(framing, use.name, "missing, and required with " + of_type,
                 Problem::Kind::kMissing);
    if (!needed && !among(use.taken_by, type) && framing.has(use.name))
      errors.add(framing, use.name, "does nothing with " + of_type, Problem::Kind::kUnused);
  }
  return errors.status();
}

Status read_marker(const Options& framing, std::string_view name, std::string& out) {
  if (!framing.has(name)) return {};
  Result<std::string> bytes = byte_text(framing, name, kLongestMarker);
  if (!bytes) return fail(bytes.error());
  out = *std::move(bytes);
  return {};
}

Status read_escape(const Options& framing, FrameRules& out) {
  if (!framing.has("escape")) {
    if (framing.string("escapeStyle") == "literal") return {};
    return fail_option(framing, "escapeStyle", "does nothing without \"escape\"");
  }
  Result<std::string> bytes = byte_text(framing, "escape", 1);
  if (!bytes) return fail(bytes.error());
  out.escape = (*bytes)[0];
  out.escape_style = chosen<EscapeStyle>(kEscapeStyles, framing.string("escapeStyle"));
  for (const std::string& marker : {out.start, out.end})
    if (marker.find(*out.escape) != std::string::npos)
      return fail_option(framing, "escape", "must not be a byte of the delimiter, start or end");
  return {};
}

Status read_framing(const Options& framing, FrameRules& out) {
  out.type = chosen<FrameType>(kFrameTypes, framing.string("type"));
  OptionErrors errors;
  const bool used = errors.good(check_use(framing, out.type));
  out.length = static_cast<size_t>(framing.integer("length"));
  out.max_length = static_cast<size_t>(framing.bytes("maxLength"));
  out.skip_first = framing.boolean("skipFirst");
  if (out.length > out.max_length) errors.add(framing, "length", "must not be more than maxLength");
  if (out.type == FrameType::kLine) out.end = "\n";
  std::string_view end = out.type == FrameType::kDelimiter ? "delimiter" : "end";
  const bool has_end = errors.good(read_marker(framing, end, out.end));
  const bool has_start = errors.good(read_marker(framing, "start", out.start));
  if (used && has_end && has_start && out.type == FrameType::kStartEnd && out.start == out.end)
    errors.add(framing, "start",
               "is the same as end: write \"type\": \"delimiter\", which skips what is empty");
  if (used) (void)errors.good(read_escape(framing, out));
  return errors.status();
}

Status read_poll(const Options& options, Milliseconds gap, PollRules& out) {
  if (!options.has("poll")) return {};
  const Options& poll = options.object("poll");
  OptionErrors errors;
  Result<std::string> request = byte_text(poll, "request", 4096);
  if (errors.good(request)) out.request = *std::move(request);
  out.every = poll.duration("every");
  out.timeout = poll.duration("timeout");
  if (out.timeout <= gap)
    errors.add(poll, "timeout", "must be longer than framing.gap, which ends the answer");
  return errors.status();
}

}  // namespace

const std::span<const Option> kSourceOptions = kOptions;

Result<Settings> read_settings(const Options& options) {
  Settings out;
  OptionErrors errors;
  out.port = options.string("port");
  if (!out.port.starts_with('/') || out.port.ends_with('/'))
    errors.add(options, "port",
               "must be a path such as \"/dev/ttyUSB0\"; \"leat ports\" lists the ports");
  out.line.baud_rate = static_cast<int>(options.integer("baudRate"));
  out.line.data_bits = static_cast<int>(options.integer("dataBits"));
  out.line.parity = chosen<Parity>(kParities, options.string("parity"));
  out.line.stop_bits = static_cast<int>(options.integer("stopBits"));
  out.line.flow_control = chosen<FlowControl>(kFlowControls, options.string("flowControl"));
  const Options& framing = options.object("framing");
  (void)errors.good(read_framing(framing, out.frames));
  out.gap = framing.duration("gap");
  out.frames.checksum = chosen<Checksum>(kChecksums, options.string("checksum"));
  (void)errors.good(read_poll(options, out.gap, out.poll));
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

}  // namespace leat::serial
