#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/text.h"
#include "base/time_format.h"
#include "journal/orders.h"
#include "journal/queries.h"
#include "journal/rows.h"
#include "spool/spool_format.h"
#include "tools/tools.h"

namespace leat {
namespace {

int64_t arrival_of(std::string_view packed) {
  Result<std::string> content = unpack_row(packed);
  return content ? arrival_of_spooled(*content) : 0;
}

std::string member(const char* name, int64_t value) {
  return std::string(",\"") + name + "\":" + std::to_string(value);
}

// Of one that runs it is open already.
Status open_spool(JournalDatabase& journal, const std::string& pipeline) {
  if (journal.spool().opened().contains(pipeline)) return {};
  Rows exists(journal, query::kHasSpool, pipeline);
  if (!exists.next())
    return fail(ErrorKind::kUsage, "the journal has no spool of a pipeline \"" + pipeline + "\"");
  Result<SpoolState> state = journal.spool().open(pipeline);
  return state ? Status{} : fail(state.error());
}

void append_payload(std::string& out, std::string_view bytes) {
  while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\r')) bytes.remove_suffix(1);
  out += is_utf8(bytes) ? ",\"raw\":" + json_quoted(bytes)
                        : ",\"rawBase64\":\"" + base64(bytes) + "\"";
}

// A line for each record. Of a batch that is damaged, one that says so.
std::string lines_of(const SpoolRow& row, uint64_t from) {
  // Beside the pipelines' memory: one batch, for as long as its text is made.
  Budget budget(SIZE_MAX / 2);
  BlockPool pool(budget, 0);
  SpooledAs as;
  Result<BatchRef> batch = read_spooled(pool, row.content, row.first, from, &as);
  if (!batch)
    return "{\"number\":" + std::to_string(row.first) +
           member("records", static_cast<int64_t>(row.records)) +
           ",\"damaged\":" + json_quoted(batch.error().message()) + "}\n";
  const Batch& b = **batch;
  std::string tail;
  if (b.arrival_us > 0) tail = ",\"arrived\":\"" + rfc3339(b.arrival_us / 1000 * 1000) + "\"";
  std::string format = as.format.substr(0, as.format.find('\n'));
  if (!format.empty()) tail += ",\"format\":" + json_quoted(format);
  std::string out;
  for (size_t i = 0; i < b.count(); ++i) {
    out += "{\"number\":" + std::to_string(std::max(row.first, from) + i) + tail;
    if (b.content == Content::kRecords) {
      out += ",\"record\":";
      append_json(out, b.records[i]);
    } else {
      append_payload(out, b.slices[i].view());
    }
    out += "}\n";
  }
  return out;
}

// Behind the last record to be dropped. Batches go whole: one goes when the next began before
// `before_us`, too; the last, when that is so long ago that it holds nothing later.
struct ToDrop {
  uint64_t to = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;
};
Result<ToDrop> choose(JournalDatabase& journal, const std::string& pipeline, int64_t before_us) {
  constexpr int64_t kLongestBatchUs = 60'000'000;
  const bool all = before_us == INT64_MAX;
  ToDrop sure;  // without the last one looked at
  ToDrop with_last;
  int64_t arrival = 0;
  Rows rows(journal, query::kRowsOfSpool, pipeline);
  while (rows.next()) {
    if (!all) arrival = arrival_of(rows.bytes(3));
    if (arrival >= before_us) return sure;
    sure = with_last;
    with_last.to = record_number(rows.number(0)) + static_cast<uint64_t>(rows.number(1));
    with_last.records += static_cast<uint64_t>(rows.number(1));
    with_last.bytes += static_cast<uint64_t>(rows.number(2));
  }
  if (Status end = rows.end(); !end) return fail(end.error());
  return all || arrival < before_us - kLongestBatchUs ? with_last : sure;
}

// A time in the wrong unit lies far from now, and would take what was not meant.
Result<int64_t> read_before(const std::string& text, int64_t now_us) {
  int64_t time = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, time);
  if (stop != end || error != std::errc() || time < 0)
    return fail(ErrorKind::kUsage,
                "before: microseconds of Unix time, found \"" + excerpt(text) + '"');
  if (time > now_us)
    return fail(ErrorKind::kUsage, "before: that lies in the future; say all where all is meant");
  return time;
}

}  // namespace

ToolResult list_spools(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request) {
  if (Status known = check_pipeline(*journal, request); !known) return fail(known.error());
  std::string out;
  Rows rows(*journal, query::kSpoolsInUse, request.pipeline);
  while (rows.next()) {
    const std::string pipeline = rows.text(0);
    out += std::string(out.empty() ? "" : ",") + "{\"pipeline\":" + json_quoted(pipeline) +
           member("records", rows.number(3)) + member("batches", rows.number(1)) +
           member("bytes", rows.number(2));
    if (int64_t arrival = arrival_of(rows.bytes(4)); arrival > 0)
      out += ",\"oldest\":\"" + rfc3339(arrival / 1000 * 1000) + "\"";
    auto known = request.configured.find(pipeline);
    if (known != request.configured.end()) out += member("maxBytes", known->second.max_spool);
    out += "}";
  }
  if (Status end = rows.end(); !end) return fail(end.error());
  return "{\"spools\":[" + out + "]}\n";
}

ToolResult spooled_records(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request) {
  if (Status open = open_spool(*journal, request.pipeline); !open) return fail(open.error());
  uint64_t from = std::strtoull(std::string(request.parameter("from")).c_str(), nullptr, 10);
  if (Rows done(*journal, query::kSpoolDone, request.pipeline); done.next())
    from = std::max(from, static_cast<uint64_t>(done.number(0)));
  uint64_t end = from;
  Result<std::optional<SpoolRow>> row = journal->spool().read(request.pipeline, from, &end);
  if (row) return row->has_value() ? lines_of(**row, from) : std::string();
  if (row.error().kind() != ErrorKind::kData || end <= from) return fail(row.error());
  return lines_of({from, end - from, ""}, from);
}

ToolResult drop_spooled(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request) {
  if (Status open = open_spool(*journal, request.pipeline); !open) return fail(open.error());
  const std::string before(request.parameter("before"));
  if (before.empty() && request.parameter("all").empty())
    return fail(ErrorKind::kUsage, "say what to drop: all, or what arrived before a time");
  int64_t before_us = INT64_MAX;  // all
  if (!before.empty()) {
    Result<int64_t> time = read_before(before, request.now_us);
    if (!time) return fail(time.error());
    before_us = *time;
  }
  Result<ToDrop> chosen = choose(*journal, request.pipeline, before_us);
  if (!chosen) return fail(chosen.error());
  if (chosen->records > 0) {
    Status status;
    if (request.at_once) {
      Result<SpoolRemoved> removed = carry_out_drop(*journal, request.pipeline, chosen->to);
      if (!removed) status = fail(removed.error());
    } else {
      status =
          journal->save(request.pipeline, {std::string(kDropOrder), std::to_string(chosen->to)});
      request.ordered = true;
    }
    if (!status) return fail(status.error());
  }
  return "{\"pipeline\":" + json_quoted(request.pipeline) +
         member("records", static_cast<int64_t>(chosen->records)) +
         member("bytes", static_cast<int64_t>(chosen->bytes)) + "}\n";
}

}  // namespace leat
