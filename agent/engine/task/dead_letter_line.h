// One line of the dead-letter file. A person reads it, and a program makes the record of it again
// (letters/letter.h), with the types and the bytes that it had:
//
//   id         16 hex digits, the first member; it stays when a letter is tried again
//   attempt    which try this was; absent: the first
//   time, pipeline, stage, reason, source (the place in it, for people)
//   code       the kind of reason, in a word that stays the same: "source" (it could make no
//   record),
//              "decode", "type" (fieldTypes, or a type of the sink's table), "time", "sql" (a
//              transform), "encode"; of sinks "http-400", "sqlstate-23505", "sqlite", "mqtt-135",
//              "message" (none can be made of it), "cut-off" (the peer breaks off), "refused"
//   step       the stage's number in the chain, from 1, as `leat explain` shows it; absent: the
//   source
//              or the sink
//   record     as it was at that stage, and then
//     types      of the fields that do not show theirs in JSON: {"temp":"float"}
//     eventTime  when it has one
//     payload    what the source had given for it, in full, while that was still there;
//                payloadBase64 when it is not UTF-8
//   raw        or else bytes that are no record, without the end of their line; rawBase64 when they
//              are not UTF-8
//     lineEnd    what stood at their end, when anything did
//     rawIs      "part" of what the source read, the whole "payload", or the "output" that the sink
//                was given
//     format     of an output
//   message    the fields that the record has from what its message brought beside the payload, as
//              the source's options say
//   metadata   all that the message brought (of MQTT its topic, QoS, retain flag, content type,
//              response topic and user properties)
#pragma once

#include <cstdint>
#include <string>

#include "task/rejection.h"

namespace leat {

// `where` is the place in the source for people ("/data/a.jsonl:17"). The rejection has its id.
std::string dead_letter_line(const Rejection& rejection, const std::string& pipeline,
                             const std::string& where, int64_t unix_us);

}  // namespace leat
