#include "letters/letter_tools.h"

#include <dirent.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "letters/letter_files.h"
#include "task/dead_letter_reasons.h"
#include "task/dead_letter_writer.h"

namespace leat {
namespace {

constexpr size_t kMostBytes = 1 << 20;
constexpr std::string_view kSuffix = ".jsonl";

std::string member(const char* name, uint64_t value) {
  return std::string(",\"") + name + "\":" + std::to_string(value);
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> out;
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) return out;
  while (const dirent* entry = ::readdir(dir)) {
    std::string_view name = entry->d_name;
    if (name.ends_with(".1")) name.remove_suffix(2);
    if (name.ends_with(kSuffix)) out.emplace_back(name.substr(0, name.size() - kSuffix.size()));
  }
  ::closedir(dir);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<std::string> counts_of(const LetterBox& box) {
  Result<LetterReader> reader = LetterReader::open(box.path);
  if (!reader) return fail(reader.error());
  uint64_t open = 0;
  uint64_t done = 0;
  uint64_t dropped = 0;
  uint64_t without_id = 0;
  DeadLetterReasons reasons;
  LetterLine line;
  for (;;) {
    Result<bool> more = reader->next(line);
    if (!more) return fail(more.error());
    if (!*more) break;
    if (line.state == LetterState::kDone) ++done;
    if (line.state == LetterState::kDropped) ++dropped;
    if (line.state != LetterState::kOpen) continue;
    std::optional<Letter> letter = read_letter(line.text);
    if (!letter) continue;
    ++open;
    if (line.id == 0) ++without_id;
    reasons.count(letter->stage, letter->code, letter->reason);
  }
  std::string out = "{\"pipeline\":" + json_quoted(box.pipeline) +
                    ",\"path\":" + json_quoted(box.path) + member("bytes", reader->bytes()) +
                    member("open", open) + member("done", done) + member("dropped", dropped) +
                    member("withoutId", without_id) + ",\"reasons\":[";
  for (const DeadLetterReason& one : reasons.all())
    out += std::string(out.ends_with('[') ? "" : ",") + "{\"stage\":" + json_quoted(one.stage) +
           ",\"code\":" + json_quoted(one.code) + ",\"reason\":" + json_quoted(one.reason) +
           member("count", one.count) + "}";
  return out + "]}";
}

LetterPlace parse_place(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  return {std::strtoull(std::string(text).c_str(), nullptr, 10),
          std::strtoull(std::string(text.substr(colon + 1)).c_str(), nullptr, 10)};
}

}  // namespace

Result<std::vector<LetterBox>> letter_boxes(const std::vector<PipelineConfig>& pipelines,
                                            const std::string& data_dir,
                                            const std::string& pipeline) {
  std::vector<LetterBox> out;
  auto add = [&](const std::string& name, const std::string& path) {
    if (!pipeline.empty() && name != pipeline) return;
    if (std::ranges::find(out, name, &LetterBox::pipeline) == out.end())
      out.push_back({name, path});
  };
  for (const PipelineConfig& one : pipelines)
    add(one.name, dead_letter_path(one.dead_letters, one.name, data_dir));
  for (const std::string& name : names_in(data_dir + "/dead-letters"))
    add(name, dead_letter_path({}, name, data_dir));
  if (!pipeline.empty() && out.empty())
    return fail(ErrorKind::kUsage, "there are no dead letters of a pipeline \"" + pipeline +
                                       "\" in " + data_dir + "/dead-letters");
  return out;
}

Result<LetterFilter> letter_filter(const LetterParameters& parameter) {
  LetterFilter out{.stage = std::string(parameter("stage")),
                   .reason = std::string(parameter("reason"))};
  std::string_view ids = parameter("ids");
  while (!ids.empty()) {
    const std::string_view one = ids.substr(0, ids.find(','));
    const uint64_t id = parse_letter_id(one);
    if (id == 0)
      return fail(ErrorKind::kUsage, "an id has 16 hexadecimal digits, found \"" + excerpt(one) +
                                         "\"; \"leat dead-letters show\" shows them");
    out.ids.push_back(id);
    ids.remove_prefix(std::min(ids.size(), one.size() + 1));
  }
  if (std::string before(parameter("before")); !before.empty())
    out.before_us = std::strtoll(before.c_str(), nullptr, 10);
  return out;
}

Result<std::string> list_letters(const std::vector<LetterBox>& boxes) {
  std::string out;
  for (const LetterBox& box : boxes) {
    Result<std::string> counts = counts_of(box);
    if (!counts) return counts;
    out += (out.empty() ? "" : ",") + *counts;
  }
  return "{\"deadLetters\":[" + out + "]}\n";
}

Result<std::string> some_letters(const LetterBox& box, const LetterFilter& filter,
                                 std::string_view from, uint64_t most, bool all) {
  Result<LetterReader> reader = LetterReader::open(box.path, parse_place(from));
  if (!reader) return fail(reader.error());
  // Those without an id are shown as long as nothing is asked of them.
  const bool any = filter.ids.empty();
  std::string out;
  LetterLine line;
  for (uint64_t count = 0; count < most && out.size() < kMostBytes;) {
    Result<bool> more = reader->next(line);
    if (!more) return fail(more.error());
    if (!*more) return out + "{}\n";
    if (line.state != LetterState::kOpen && !all) continue;
    if (line.id == 0 ? !any : !filter.may_match(line.id)) continue;
    std::optional<Letter> letter = read_letter(line.text);
    if (!letter) continue;
    if (letter->id == 0) letter->id = UINT64_MAX;  // as any other
    if (!filter.matches(*letter)) continue;
    ++count;
    if (line.state == LetterState::kOpen) {
      out += line.text;
    } else {
      out += std::string("{\"state\":") +
             (line.state == LetterState::kDone ? "\"done\"," : "\"dropped\",") +
             std::string(line.text.substr(1));
    }
    out += '\n';
  }
  const LetterPlace place = reader->place();
  return out + "{\"next\":\"" + std::to_string(place.file) + ":" + std::to_string(place.offset) +
         "\"}\n";
}

Result<std::string> drop_letters(const LetterBox& box, const LetterFilter& filter) {
  constexpr size_t kAtOnce = 4096;
  Result<LetterReader> reader = LetterReader::open(box.path);
  if (!reader) return fail(reader.error());
  uint64_t dropped = 0;
  std::vector<LetterMark> marks;
  LetterLine line;
  for (bool more = true; more;) {
    Result<bool> next = reader->next(line);
    if (!next) return fail(next.error());
    more = *next;
    if (more && line.state == LetterState::kOpen && filter.may_match(line.id)) {
      std::optional<Letter> letter = read_letter(line.text);
      if (letter && filter.matches(*letter)) marks.push_back({line.place, line.id, true});
    }
    if (marks.empty() || (more && marks.size() < kAtOnce)) continue;
    if (Status marked = mark_letters(box.path, marks); !marked) return fail(marked.error());
    dropped += marks.size();
    marks.clear();
  }
  return "{\"pipeline\":" + json_quoted(box.pipeline) + member("dropped", dropped) + "}\n";
}

}  // namespace leat
